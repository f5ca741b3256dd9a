#include "app/commands/command_line.hpp"

#include <optional>

#include <CLI/CLI.hpp>

#include "admin/known_formats.hpp"
#include "app/build_name.hpp"
#include "app/commands/completion.hpp"
#include "app/commands/exit_codes.hpp"
#include "app/commands/man_page.hpp"
#include "base/error_table.hpp"
#include "config/describe.hpp"
#include "core/service/describe_fields.hpp"

namespace akr {
namespace {

constexpr char kDescription[] =
    "A gateway that holds pools of API keys for REST and LLM services and rotates them.\n"
    "Without a command it serves; see README.md for the first steps.";

std::string exit_codes_help() {
  std::string out = "Exit codes:\n";
  for (const ExitCode& code : kExitCodes) {
    const std::string number = std::to_string(code.number);
    out += "  " + number + std::string(4 - number.size(), ' ') + std::string(code.meaning) + "\n";
  }
  return out;
}

class HelpWithSettings final : public CLI::Formatter {
 public:
  std::string make_footer(const CLI::App* app) const override {
    if (app->get_parent() != nullptr) return "";  // the help of one command stays short
    return "\n" + settings_help() + "\n" + exit_codes_help() + "\n";
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
  command->add_option("FILE", into.path, "Must not exist; made with mode 0600")->type_name("")->required();
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
      ->type_name("URL")
      ->required();
  command->add_option("--to", into.to, "The same of a database without tables; a SQLite file may be missing")
      ->type_name("URL")
      ->required();
  return command;
}

// The commands that only print, and what was asked of them.
struct Printing {
  const CLI::App* docs = nullptr;
  const CLI::App* example = nullptr;
  const CLI::App* man = nullptr;
  const CLI::App* completion = nullptr;
  std::string language = "en";
  std::string about = "settings";
  std::string shell;
};

void add_printing(CLI::App& app, Printing& into) {
  CLI::App* docs = app.add_subcommand("docs", "Prints generated documentation as Markdown");
  docs->add_option("ABOUT", into.about,
                   "What it is about: all settings, the fields of a service or of a key, or errors")
      ->check(CLI::IsMember({"settings", "service-fields", "key-fields", "errors"}))
      ->capture_default_str();
  docs->add_option("--lang", into.language, "Language")->check(CLI::IsMember({"en", "zh-CN"}))->capture_default_str();
  into.docs = docs;
  into.example = app.add_subcommand("env-example", "Prints an example .env file");
  into.man = app.add_subcommand("man-page", "Prints the manual page, for man -l");
  CLI::App* completion = app.add_subcommand("completion", "Prints what makes a shell complete this command line");
  std::vector<std::string> names;
  for (const Shell& shell : kShells) names.emplace_back(shell.name);
  completion->add_option("SHELL", into.shell, "Which shell")->check(CLI::IsMember(names))->required();
  into.completion = completion;
}

ArgumentOutline outline_of(const CLI::Option& option) {
  ArgumentOutline out{.meaning = option.get_description(), .required = option.get_required()};
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  if (option.get_items_expected_max() == 0) return out;
  const std::string type = option.get_type_name();  // of a choice "TEXT:{en,zh-CN}"
  out.value = out.names.empty() ? option.get_name(true) : type.substr(0, type.find(':'));
  const auto brace = type.find('{');
  if (brace == std::string::npos) return out;
  out.choices = CLI::detail::split(type.substr(brace + 1, type.find('}') - brace - 1), ',');
  return out;
}

CommandOutline outline_of(const CLI::App& app) {
  CommandOutline out{.name = app.get_name(), .meaning = app.get_description()};
  for (const CLI::Option* option : app.get_options()) out.arguments.push_back(outline_of(*option));
  for (const CLI::App* command : app.get_subcommands({})) out.commands.push_back(outline_of(*command));
  return out;
}

std::string completion(const CLI::App& app, std::string_view name) {
  for (const Shell& shell : kShells) {
    if (shell.name == name) return shell.completion(outline_of(app));
  }
  return "";  // parsed(): it is one of them
}

std::optional<PrintCommand> print_command(const CLI::App& app, const Printing& asked) {
  if (asked.docs->parsed()) {
    return PrintCommand{markdown(asked.about, asked.language == "en" ? Language::kEnglish : Language::kChinese)};
  }
  if (asked.example->parsed()) return PrintCommand{env_example()};
  if (asked.man->parsed()) return PrintCommand{man_page(outline_of(app))};
  if (asked.completion->parsed()) return PrintCommand{completion(app, asked.shell)};
  return std::nullopt;
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
  Printing printing;
  add_printing(app, printing);

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
  if (auto print = print_command(app, printing)) return *std::move(print);
  if (plain->parsed()) return plain_copy;
  if (copy->parsed()) return sides;
  if (health->parsed() || health_flag) return HealthcheckCommand{};
  return ServeCommand{};
}

}  // namespace akr
