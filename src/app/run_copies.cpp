// The commands that copy a database: plain-copy and copy-database.
#include <chrono>
#include <cstdio>
#include <filesystem>

#include <sodium.h>

#include "app/commands/copy_report.hpp"
#include "app/commands/copy_side.hpp"
#include "app/exit_status.hpp"
#include "app/first_start.hpp"
#include "app/instance_lock.hpp"
#include "app/node_settings.hpp"
#include "app/process.hpp"
#include "app/run.hpp"
#include "base/log.hpp"
#include "config/backend_address.hpp"
#include "config/backend_choice.hpp"
#include "store/copy_database.hpp"
#include "store/open.hpp"

namespace akr {
namespace {

namespace fs = std::filesystem;

// Opening a file that is not there would make an empty database.
Result<void> check_file_is_there(const DatabaseAddress& at, const std::string& field) {
  if (is_server(at.kind) || fs::exists(at.file)) return {};
  return Error{ErrorCode::kStoreUnavailable, "there is no database at " + at.file, field};
}

struct CopySides {
  DatabaseAddress from, to;
};

Result<CopySides> read_sides(const std::string& from, const std::string& to) {
  const auto variables = variables_here();
  if (!variables) return variables.error();
  auto source = read_copy_side(kFromSide, from, *variables);
  if (!source) return source.error();
  auto target = read_copy_side(kToSide, to, *variables);
  if (!target) return target.error();
  if (without_password(*source) == without_password(*target)) {
    return Error{ErrorCode::kConflict, "--from and --to are the same database"};
  }
  if (auto there = check_file_is_there(*source, std::string(kFromSide)); !there) return with_side(there.error());
  return CopySides{*std::move(source), *std::move(target)};
}

// No gateway may serve from the file meanwhile, and its directory must be there.
Result<InstanceLock> take_target(const DatabaseAddress& to) {
  if (is_server(to.kind)) return InstanceLock();
  if (auto ready = ensure_writable(fs::path(to.file).parent_path(), "--to"); !ready) return ready.error();
  return InstanceLock::take(database_lock(to.file), "--to", to.file);
}

Result<std::vector<CopiedTable>> copy(const Settings& settings, const CopySides& sides) {
  auto secrets = prepare_encryption_key(first_start_input(settings));
  if (!secrets) return secrets.error();
  tell_first_start(*secrets, settings.admin_username());
  const auto target = take_target(sides.to);
  if (!target) return target.error();
  StoreOptions from = store_options(settings, *secrets);
  StoreOptions to = from;
  from.at = sides.from;
  to.at = sides.to;
  CopyProgressLines lines([](const std::string& line) { std::fputs(line.c_str(), stderr); });
  return copy_database(from, to, [&lines](std::string_view table, std::uint64_t done, std::uint64_t all) {
    lines.note(table, done, all, std::chrono::steady_clock::now());
  });
}

}  // namespace

int run_plain_copy(const std::string& path) {
  auto settings = settings_here();
  if (!settings) return fail(settings.error());
  protect_memory();
  const DatabaseAddress at = database_at(**settings);
  if (is_server(at.kind)) {
    return fail({ErrorCode::kUnsupported,
                 "plain-copy works with SQLite only; move the database into a file first, with copy-database --to "
                 "sqlite:FILE, and start this again with DB_TYPE=sqlite and DATABASE_PATH=FILE"});
  }
  if (auto there = check_file_is_there(at, "DATABASE_PATH"); !there) {
    Error error = there.error();
    error.message += " (DATABASE_PATH)";
    return fail(error);
  }
  const auto secrets = prepare_first_start(first_start_input(**settings));
  if (!secrets) return fail(secrets.error());
  auto database = open_database(store_options(**settings, *secrets));
  if (!database) return fail(database.error());
  const auto keys = (*database)->plain_copy_to(path);
  if (!keys) return fail(keys.error());
  std::printf("%zu keys, in plain text, in %s: keep it to yourself, and remove it when it is not needed any more\n",
              *keys, path.c_str());
  return 0;
}

int run_copy_database(const std::string& from, const std::string& to) {
  survive_failed_writes();
  protect_memory();
  const auto settings = settings_here();
  if (!settings) return fail(settings.error());
  const auto sides = read_sides(from, to);
  if (!sides) {
    tell(sides.error());
    return copy_exit_status(sides.error(), {}, {});
  }
  const auto copied = copy(**settings, *sides);
  if (!copied) {
    tell(with_side(copied.error()));
    return copy_exit_status(copied.error(), sides->from, sides->to);
  }
  std::fputs(copy_report(*copied).c_str(), stdout);
  return 0;
}

}  // namespace akr
