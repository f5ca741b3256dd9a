#include <cstdio>
#include <variant>

#include "app/commands/command_line.hpp"
#include "app/run.hpp"

int main(int argc, char** argv) {
  const akr::Command command = akr::parse_command_line(argc, argv);
  if (const auto* print = std::get_if<akr::PrintCommand>(&command)) {
    std::fputs(print->text.c_str(), print->exit_code == 0 ? stdout : stderr);
    return print->exit_code;
  }
  if (const auto* copy = std::get_if<akr::PlainCopyCommand>(&command)) return akr::run_plain_copy(copy->path);
  if (const auto* copy = std::get_if<akr::CopyDatabaseCommand>(&command)) {
    return akr::run_copy_database(copy->from, copy->to);
  }
  return std::holds_alternative<akr::HealthcheckCommand>(command) ? akr::run_healthcheck() : akr::run_gateway();
}
