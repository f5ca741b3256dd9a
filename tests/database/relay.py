"""A TCP relay on 127.0.0.1 that passes on what the server says later, by `delay` seconds for each piece."""

import socket
import threading

from impostors import Impostor


class SlowRelay(Impostor):
    def __init__(self, port):
        self.to, self.delay, self.changed = port, 0.0, threading.Condition()
        super().__init__()

    def set_delay(self, seconds):
        with self.changed:
            self.delay = seconds
            self.changed.notify_all()

    def serve(self, sock):
        with socket.create_connection(("127.0.0.1", self.to)) as server:
            back = threading.Thread(target=self._pass_later, args=(server, sock), daemon=True)
            back.start()
            while data := sock.recv(65536):
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)
            back.join()

    def _pass_later(self, server, sock):
        try:
            while data := server.recv(65536):
                with self.changed:
                    self.changed.wait_for(lambda: self.delay == 0, self.delay)
                sock.sendall(data)
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
