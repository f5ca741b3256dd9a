// answer_pump.hpp - body bytes from the upstream's framing into the client's, without copying them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/mask/key_mask.hpp"
#include "net/http/body_decoder.hpp"
#include "net/loop/outgoing.hpp"
#include "proxy/answer/body_tap.hpp"
#include "proxy/request/headers.hpp"

namespace akr {

class AnswerPump {
 public:
  // `tap`, if not null, sees the body's bytes before they are handed out.  `mask`, if not null, is what every byte goes
  // through; the upstream's framing is never kept then.  Both outlive the pump.
  AnswerPump(net::BodyDecoder& body, Framing framing, BodyTap* tap = nullptr, KeyMaskStream* mask = nullptr)
      : body_(body), framing_(framing), tap_(tap), mask_(mask) {}

  // Takes bytes from the front of `input` and adds what the client gets to `out`, which must be empty and be sent
  // before the next call.  False: the upstream's framing is broken.  Whole chunks, as we would have written them
  // ourselves, go down as they are; everything else is framed anew.
  bool feed(std::string_view& input, net::Outgoing& out);
  // Adds bytes that are decoded already.
  void add_decoded(std::string_view data, net::Outgoing& out);
  // Bytes of a body of known length went to the client by another way.
  void note_spliced(std::uint64_t bytes) {
    body_.skip(bytes);
    bytes_ += bytes;
    ended_ = body_.finished();
  }
  // The upstream's stream ended.  False: too early.
  bool end_of_stream(net::Outgoing& out);
  // Nothing is in `out`, and a wait begins: gives memory back.
  void rest() { masked_ = {}; }
  // The body is complete and its end is in `out`.
  bool done() const { return ended_; }
  // Between two events of an event stream: a comment may be put here.
  bool at_event_boundary() const { return boundary_; }
  // Something of ours goes down in between.  Before the first byte of the body: then a byte order mark does not stand
  // at the beginning any more, where alone readers know it, and is left out.
  void note_insertion() { drops_mark_ = drops_mark_ || bytes_ + mark_ == 0; }
  std::uint64_t bytes() const { return bytes_; }
  // Adds the end of a body that has no bytes (left).
  void finish_if_complete(net::Outgoing& out);

 private:
  static constexpr std::size_t kRuns = net::Outgoing::kMaxParts - 6;
  // `taken` was decoded into `runs`: does our framing of the same chunks look the same?
  bool canonical(std::string_view taken, std::span<const std::string_view> runs) const;
  bool feed_masked(std::string_view& input, net::Outgoing& out);
  void add_masked(net::Outgoing& out);
  void open_chunk(std::size_t size, net::Outgoing& out);
  void note_tail(std::string_view data);
  std::size_t drop_mark(std::span<std::string_view> runs);  // how many bytes

  net::BodyDecoder& body_;
  const Framing framing_;
  BodyTap* const tap_;
  KeyMaskStream* const mask_;
  std::string masked_;  // what is in `out`
  std::array<char, 20> size_line_ = {};
  std::uint64_t bytes_ = 0;
  std::array<char, 4> tail_ = {};  // the last bytes of the body, newest last
  std::size_t mark_ = 0;           // bytes of a byte order mark that were left out
  bool drops_mark_ = false;
  bool boundary_ = true;
  bool ended_ = false;
};

}  // namespace akr
