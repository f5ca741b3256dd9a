#include "app/commands/command_line.hpp"

#include <CLI/CLI.hpp>

#include "admin/known_formats.hpp"
#include "app/build_name.hpp"
#include "base/error_table.hpp"
#include "config/describe.hpp"
#include "core/service/describe_fields.hpp"

namespace akr {
namespace {

constexpr char kDescription[] =
    "A gateway that holds pools of API keys for REST and LLM services and rotates them.\n"
    "Without a command it serves; see README.md for the first steps.";
constexpr char kExitCodes[] =
    "Exit codes: 0 stopped cleanly, 1 not healthy, or a copy refused, 64 wrong command line,\n"
    "            73 data directory or database not writable, 75 database server not reached (may pass),\n"
    "            78 a setting is not allowed or cannot be used.";

class HelpWithSettings final : public CLI::Formatter {
 public:
  std::string make_footer(const CLI::App* app) const override {
    if (app->get_parent() != nullptr) return "";  // the help of one command stays short
    return "\n" + settings_help() + "\n" + kExitCodes + "\n";
  }
};

std::string markdown(std::string_view about, Language language) {
  if (about == "service-fields")
    return fields_markdown(describe_service_fields(kTellSetting, known_formats()), language);
  if (about == "key-fields") return fields_markdown(describe_key_fields(), language);
  if (about == "errors") return errors_markdown(language);
  return configuration_markdown(language);
}

const CLI::App* add_plain_copy(CLI::App& app, PlainCopyCommand& into) {
  CLI::App* command = app.add_subcommand("plain-copy",
                                         "Writes a copy of the SQLite database with its keys in plain text, for the "
                                         "first version of the gateway");
  command->add_option("FILE", into.path, "Must not exist; made with mode 0600")->required();
  return command;
}

const CLI::App* add_copy_database(CLI::App& app, CopyDatabaseCommand& into) {
  CLI::App* command = app.add_subcommand("copy-database",
                                         "Copies everything into another database, of any kind; started again, it goes "
                                         "on where it was interrupted");
  command
      ->add_option(
          "--from", into.from,
          "URL as DATABASE_URL has it, or env:NAME for a variable that holds one, so that no list of processes "
          "shows its password")
      ->required();
  command->add_option("--to", into.to, "The same of a database without tables; a SQLite file may be missing")
      ->required();
  return command;
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  CLI::App app(kDescription, "api-key-rotator");
  app.formatter(std::make_shared<HelpWithSettings>());
  app.set_version_flag("--version", "api-key-rotator " AKR_VERSION " (" + std::string(build_name()) + ")",
                       "Prints the version and which build this is");
  app.set_help_flag("-h,--help", "Prints this help");
  app.require_subcommand(0, 1);

  bool health_flag = false;
  app.add_flag("--health-check", health_flag, "Same as healthcheck");
  const CLI::App* health =
      app.add_subcommand("healthcheck", "Asks the gateway that runs with the same settings for /healthz: exit 0 or 1");
  CLI::App* docs = app.add_subcommand("docs", "Prints generated documentation as Markdown");
  std::string language = "en";
  std::string about = "settings";
  docs->add_option("ABOUT", about, "What it is about: all settings, the fields of a service or of a key, or errors")
      ->check(CLI::IsMember({"settings", "service-fields", "key-fields", "errors"}))
      ->capture_default_str();
  docs->add_option("--lang", language, "Language")->check(CLI::IsMember({"en", "zh-CN"}))->capture_default_str();
  const CLI::App* example = app.add_subcommand("env-example", "Prints an example .env file");

  PlainCopyCommand plain_copy;
  const CLI::App* plain = add_plain_copy(app, plain_copy);
  CopyDatabaseCommand sides;
  const CLI::App* copy = add_copy_database(app, sides);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {  // --help and --version arrive here too
    std::ostringstream out;
    std::ostringstream err;
    const bool wrong = app.exit(stop, out, err) != 0;
    return PrintCommand{wrong ? err.str() : out.str(), wrong ? kExitUsage : 0};
  }
  if (docs->parsed()) return PrintCommand{markdown(about, language == "en" ? Language::kEnglish : Language::kChinese)};
  if (plain->parsed()) return plain_copy;
  if (copy->parsed()) return sides;
  if (example->parsed()) return PrintCommand{env_example()};
  if (health->parsed() || health_flag) return HealthcheckCommand{};
  return ServeCommand{};
}

}  // namespace akr
