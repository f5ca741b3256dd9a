// settings.hpp - every setting of the gateway, once.  Name, default, what is allowed and meaning (English, Chinese)
// stand together; --help, docs/*/configuration.md, .env.example and the masked dump of the admin API are made from this
// list.
//
// Filled by load_settings() (load.hpp), constant afterwards, read by all threads.  A module gets the values it needs in
// its constructor, never the whole Settings.  Names and defaults of the first version of the product are kept.
#pragma once

#include "base/database_address.hpp"
#include "base/log.hpp"
#include "config/database_words.hpp"
#include "config/setting.hpp"
#include "config/setting_rules.hpp"

namespace akr {

enum class CacheKind { kUnset, kMemory, kRedis };

std::span<const Choice<DatabaseKind>> choices_of(DatabaseKind);
std::span<const Choice<DatabaseTls>> choices_of(DatabaseTls);
std::span<const Choice<CacheKind>> choices_of(CacheKind);
std::span<const Choice<LogLevel>> choices_of(LogLevel);

// One form for all entries reads as a table; clang-format would choose three.
// clang-format off
struct Settings : SettingList {
  SettingGroup listener_group{*this, {"Listener", "监听"}};
  Setting<std::string> listen_address{*this, "LISTEN_ADDRESS", "::",
    {"IP address the gateway listens on. `::` takes IPv6 and IPv4, and falls back to `0.0.0.0` where there is no "
     "IPv6.",
     "网关监听的 IP 地址。`::` 同时接受 IPv6 与 IPv4；没有 IPv6 时退回 `0.0.0.0`。"}, ip_address()};
  Setting<std::uint32_t> port{*this, "BACKEND_PORT", 8000,
    {"TCP port the gateway listens on; 0 takes any free port, which the log line `ready` names.",
     "网关监听的 TCP 端口；0 表示任意空闲端口，日志中的 `ready` 一行会写明。"}, between(0U, 65535U)};
  Setting<std::string> tls_cert_file{*this, "TLS_CERT_FILE", "",
    {"PEM file with the listener's certificate chain. With TLS_KEY_FILE it turns TLS on; without both the listener "
     "speaks plain HTTP.",
     "监听端口的证书链（PEM 文件）。与 TLS_KEY_FILE 一起启用 TLS；两者都不设时使用明文 HTTP。"}};
  Setting<std::string> tls_key_file{*this, "TLS_KEY_FILE", "",
    {"PEM file with the private key of TLS_CERT_FILE.", "TLS_CERT_FILE 对应的私钥（PEM 文件）。"}};
  Setting<std::uint32_t> workers{*this, "WORKERS", 0,
    {"Worker threads, each with its own event loop; 0 means one per core.",
     "工作线程数，每个线程一个事件循环；0 表示每个 CPU 核一个。"}, between(0U, 256U)};
  Setting<HttpUrl> public_base_url{*this, "PROXY_PUBLIC_BASE_URL", HttpUrl{"http://localhost:8000"},
    {"URL under which clients reach the gateway: shown by the admin API, and put into URLs of answers that lead here; not "
     "used for routing. Unset: such URLs have the scheme and the Host of the client's request.",
     "客户端访问网关所用的 URL：由管理 API 展示，并用于响应中指向网关的 URL；不参与路由。不设置时，这类 URL 采用客户端请求的协议和 Host。"}};

  Setting<std::string> trusted_proxies{*this, "TRUSTED_PROXIES", "",
    {"Comma list of addresses and networks (CIDR) of reverse proxies and load balancers. Only from them "
     "`X-Forwarded-For`, `X-Forwarded-Proto` and `Forwarded` are believed, for the login limit, the logs and "
     "MAX_CONNECTIONS_PER_ADDRESS.",
     "反向代理和负载均衡器的地址与网段（CIDR），以逗号分隔。仅信任来自它们的 `X-Forwarded-For`、`X-Forwarded-Proto` 和 "
     "`Forwarded`，用于登录限制、日志以及 MAX_CONNECTIONS_PER_ADDRESS。"}, networks()};
  Setting<bool> proxy_protocol{*this, "PROXY_PROTOCOL", false,
    {"Connections from TRUSTED_PROXIES begin with a PROXY protocol header, version 1 or 2, before TLS; those without one "
     "are closed. Connections from elsewhere never do. Needs TRUSTED_PROXIES.",
     "来自 TRUSTED_PROXIES 的连接在 TLS 之前以 PROXY 协议头（版本 1 或 2）开始，没有该头的连接会被关闭；其他来源的连接不带该头。需要 "
     "TRUSTED_PROXIES。"}};

  SettingGroup admin_group{*this, {"Administrator", "管理员"}};
  Setting<std::string> admin_username{*this, "ADMIN_USERNAME", "admin",
    {"Name of the administrator.", "管理员用户名。"}};
  Setting<Secret> admin_password{*this, "ADMIN_PASSWORD", Secret(),
    {"Password of the administrator. Unset: one is generated at the first start, printed once, and only its hash is "
     "kept in DATA_DIR.",
     "管理员密码。不设置时首次启动会生成一个，只显示一次，DATA_DIR 中仅保存其哈希。"}, strong_password()};
  Setting<Secret> jwt_secret{*this, "JWT_SECRET", Secret(),
    {"Signs admin sessions. Unset: 32 random bytes are generated and kept in DATA_DIR, so sessions survive a restart.",
     "用于签名管理会话。不设置时生成 32 个随机字节并保存在 DATA_DIR，重启后会话仍然有效。"}, signing_secret()};
  Setting<std::uint32_t> login_queue{*this, "LOGIN_QUEUE", 16,
    {"Logins that may wait for their password to be checked, one after the other; more get 429.",
     "可排队等待校验密码的登录数（逐个校验），超过则返回 429。"}, between(1U, 10'000U)};
  Setting<std::uint32_t> validations_at_once{*this, "VALIDATIONS_AT_ONCE", 16,
    {"Validations of single keys that may wait for their provider at the same time; more get 429.",
     "可同时等待上游应答的单个密钥校验数，超过则返回 429。"}, between(1U, 10'000U)};
  Setting<std::uint32_t> import_max_keys{*this, "IMPORT_MAX_KEYS", 200'000,
    {"Most keys in one import (`keys/batch`); more get 422 and none is stored. Each takes about 300 bytes of memory "
     "meanwhile.",
     "单次导入（`keys/batch`）的最大密钥数，超过则返回 422 且一个都不保存。导入期间每个密钥约占 300 字节内存。"},
    between(1U, 10'000'000U)};
  Setting<bool> allow_insecure_defaults{*this, "ALLOW_INSECURE_DEFAULTS", false,
    {"Accepts short secrets and the placeholder values of the documentation. For experiments only.",
     "接受过短的密钥以及文档中的占位值。仅用于试验。"}};

  SettingGroup access_group{*this, {"Access keys", "访问密钥"}};
  Setting<std::vector<Secret>> global_proxy_keys{*this, "GLOBAL_PROXY_KEYS", {},
    {"Keys that clients present to the gateway. None: every proxied request is refused.",
     "客户端访问网关时出示的密钥。一个都没有时，拒绝所有代理请求。"}, access_keys()};

  SettingGroup client_group{*this, {"Limits and timers of clients", "客户端限制与超时"}};
  Setting<ByteCount> max_body_size{*this, "MAX_BODY_SIZE", ByteCount{32U << 20},
    {"Largest request body; larger ones get 413. Unset: 64 MiB for what LLM services are asked, in JSON or in forms. "
     "Their uploads have a limit of their own (MAX_UPLOAD_SIZE); what services with `stream_uploads` pass through has "
     "none.",
     "请求体的最大长度，超过则返回 413。不设置时，LLM 服务的请求（JSON 或表单）为 64 MiB。LLM 服务的上传另有限制（MAX_UPLOAD_SIZE）；"
     "启用 `stream_uploads` 的服务所直接转发的请求体不受限制。"},
    between(ByteCount{1}, ByteCount{1ULL << 40})};
  Setting<ByteCount> max_upload_size{*this, "MAX_UPLOAD_SIZE", ByteCount{2ULL << 30},
    {"Largest multipart or raw upload to an LLM service, which passes through without being kept; larger ones get 413. "
     "Unset: MAX_BODY_SIZE, where that is set.",
     "发往 LLM 服务的 multipart 或原始上传的最大长度，这类请求体直接转发而不保留，超过则返回 413。不设置时，若设置了 MAX_BODY_SIZE "
     "则以其为准。"},
    between(ByteCount{1}, ByteCount{1ULL << 40})};
  Setting<ByteCount> compressed_error_limit{*this, "COMPRESSED_ERROR_LIMIT", ByteCount{1U << 20},
    {"Largest compressed body of an upstream's error, packed and unpacked, that is searched for the upstream key. The "
     "client gets a larger error's status with a sentence of ours instead of the body.",
     "会在其中查找上游密钥的压缩错误响应体的最大长度（压缩前后均按此计）。更大的错误只传回其状态码，响应体以网关的一句说明代替。"},
    between(ByteCount{1U << 10}, ByteCount{64U << 20})};
  Setting<ByteCount> unauthenticated_memory{*this, "UNAUTHENTICATED_MEMORY", ByteCount{16U << 20},
    {"Memory for what clients send before they have shown an access key or a session: heads over 4 KiB, logins, the "
     "first 64 KiB of bodies that may hold an access key (`accept_body_key`). All workers together; what does not fit "
     "gets 503 and may be sent again.",
     "客户端在出示访问密钥或会话之前所发送内容可占用的内存（所有工作线程合计）：超过 4 KiB 的请求头、登录请求、可能含有访问密钥的请求体"
     "（`accept_body_key`）的前 64 KiB。放不下的请求返回 503，可稍后重试。"},
    between(ByteCount{1U << 20}, ByteCount{1ULL << 40})};
  Setting<std::uint32_t> max_connections{*this, "MAX_CONNECTIONS", 10'000,
    {"Client connections open at the same time, all workers together. When they are all taken, silent and idle ones make "
     "room; if all are busy, requests get 503. Lowered at start to what the limit of file descriptors allows.",
     "同时打开的客户端连接数（所有工作线程合计）。全部占用时，静默和空闲的连接会让出位置；若都在处理请求，则返回 503。"
     "启动时会降低到文件描述符上限所允许的数量。"}, between(1U, 1'000'000U)};
  Setting<std::uint32_t> max_connections_per_address{*this, "MAX_CONNECTIONS_PER_ADDRESS", 7500,
    {"Of these, how many one client address may hold (IPv6: one /64); more get 503. Unset: three quarters of "
     "MAX_CONNECTIONS; 0: no limit. TRUSTED_PROXIES are exempt: behind them each client's running requests count.",
     "其中单个客户端地址（IPv6 为一个 /64）最多占用的数量，超出的返回 503。不设置时为 MAX_CONNECTIONS 的四分之三；0 "
     "表示不限制。TRUSTED_PROXIES 不受限：其后的每个客户端按正在进行的请求计数。"}, between(0U, 1'000'000U)};
  Setting<std::uint32_t> reserved_connections{*this, "RESERVED_CONNECTIONS", 16,
    {"Connections beside MAX_CONNECTIONS on which only `/healthz`, `/readyz`, `/metrics` and `/admin` are served, so that "
     "a full gateway still answers its operator.",
     "MAX_CONNECTIONS 之外保留的连接，只处理 `/healthz`、`/readyz`、`/metrics` 和 `/admin`，使网关在占满时仍能应答运维人员。"},
    between(0U, 10'000U)};
  Setting<Milliseconds> new_connection_timeout{*this, "NEW_CONNECTION_TIMEOUT", seconds(10),
    {"Longest time a new connection may stay silent before its first request; also for a TLS handshake and a PROXY header.",
     "新连接在首个请求之前保持静默的最长时间；TLS 握手和 PROXY 协议头同样适用。"}, from_to_seconds(1, 3600)};
  Setting<Milliseconds> head_timeout{*this, "HEAD_TIMEOUT", seconds(30),
    {"Longest time from the first byte of a request head to its end (408).",
     "从请求头第一个字节到结束的最长时间（408）。"}, from_to_seconds(1, 3600)};
  Setting<Milliseconds> body_timeout{*this, "BODY_TIMEOUT", seconds(30),
    {"Longest gap while a request body arrives (408).",
     "接收请求体时两次数据之间的最长间隔（408）。"}, from_to_seconds(1, 3600)};
  Setting<std::uint32_t> body_min_rate{*this, "BODY_MIN_RATE", 240,
    {"Bytes per second that a request body must bring on average once three times BODY_TIMEOUT have passed (408); 0 "
     "means any.",
     "请求体在三倍 BODY_TIMEOUT 之后必须达到的平均速率，单位为字节每秒（408）；0 表示不限。"}, between(0U, 1'000'000'000U)};
  Setting<Milliseconds> body_total_timeout{*this, "BODY_TOTAL_TIMEOUT", seconds(21'600),
    {"Longest time a whole request body may take (408).",
     "接收整个请求体的最长时间（408）。"}, from_to_seconds(1, 604'800)};
  Setting<std::uint32_t> max_chunk_framing{*this, "MAX_CHUNK_FRAMING", 16,
    {"Bytes of framing (size lines, extensions) that a chunked request body may have for each byte of data, beyond 64 "
     "KiB (400). Framing beyond 64 KiB also counts towards limits of the body's length.",
     "分块请求体在 64 KiB 之外，每个数据字节允许的分块开销字节数（长度行与扩展），超过则返回 400。超出 64 KiB "
     "的开销也计入请求体长度限制。"}, between(1U, 1000U)};
  Setting<Milliseconds> send_timeout{*this, "SEND_TIMEOUT", seconds(60),
    {"Longest time a client may take no byte of its answer; then it is disconnected.",
     "客户端不读取响应数据的最长时间，超过即断开。"}, from_to_seconds(1, 3600)};
  Setting<Milliseconds> keepalive_timeout{*this, "KEEPALIVE_TIMEOUT", seconds(75),
    {"How long an idle client connection stays open after a request.",
     "两次请求之间空闲客户端连接的保持时间。"}, from_to_seconds(1, 3600)};

  SettingGroup upstream_group{*this, {"Upstreams", "上游"}};
  Setting<Milliseconds> proxy_timeout{*this, "PROXY_TIMEOUT", seconds(30),
    {"Total time of one call to a GENERIC service that sets no time of its own. LLM services have no total limit by "
     "default.",
     "GENERIC 服务未单独设置时，一次调用的总时间。LLM 服务默认没有总时间限制。"}, from_to_seconds(1, 3600)};
  Setting<Milliseconds> upstream_idle_timeout{*this, "UPSTREAM_IDLE_TIMEOUT", seconds(30),
    {"How long an idle upstream connection is kept for reuse.",
     "空闲上游连接为复用而保留的时间。"}, from_to_seconds(1, 3600)};
  Setting<std::uint32_t> upstream_max_interim{*this, "UPSTREAM_MAX_INTERIM", 100'000,
    {"Interim (1xx) answers an upstream may send before the real one; more are an upstream error (502).",
     "上游在最终响应之前可发送的中间响应（1xx）数量，超过视为上游错误（502）。"}, between(1U, 10'000'000U)};
  Setting<Milliseconds> sse_keepalive{*this, "SSE_KEEPALIVE", seconds(15),
    {"Silence of an event stream after which clients get a comment, or what their format has for it, so that nothing "
     "between cuts it; 0 turns it off.",
     "事件流静默多久后向客户端发送注释或其格式中的等价内容，防止中间设备断开；0 表示关闭。"}, from_to_seconds(0, 3600)};
  Setting<bool> allow_private_upstreams{*this, "ALLOW_PRIVATE_UPSTREAMS", true,
    {"Lets services and their proxies point to private and loopback addresses. Cloud metadata and link-local "
     "addresses are refused always.",
     "允许服务及其代理指向私有地址和回环地址。云元数据地址与链路本地地址始终拒绝。"}};
  Setting<std::uint32_t> failure_rules_work{*this, "FAILURE_RULES_WORK", 524'288,
    {"Most work that the `failure_rules` of a service do on one answer: steps of the compiled patterns times bytes looked "
     "at. A 256th of it is the limit of steps.",
     "一个服务的 `failure_rules` 对一次应答最多做的工作量：编译后模式的步数乘以检查的字节数。步数上限为其 1/256。"},
    between(65'536U, 8'388'608U)};
  Setting<std::string> upstream_ca_file{*this, "UPSTREAM_CA_FILE", "",
    {"PEM bundle of certificate authorities trusted for upstreams in addition to the system's.",
     "除系统证书外，另行信任的上游 CA 证书（PEM 文件）。"}};
  Setting<bool> use_env_proxy{*this, "USE_ENV_PROXY", false,
    {"Sends upstream connections of services without `egress_proxy` through HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, "
     "except for NO_PROXY.",
     "未设置 `egress_proxy` 的服务通过 HTTP_PROXY、HTTPS_PROXY 或 ALL_PROXY 连接上游，NO_PROXY 中的除外。"}};
  Setting<Secret> http_proxy{*this, "HTTP_PROXY", Secret(),
    {"Proxy for `http` upstreams (`http`, `https`, `socks5` or `socks5h` URL); also as `http_proxy`. Needs "
     "USE_ENV_PROXY.",
     "`http` 上游使用的代理（`http`、`https`、`socks5` 或 `socks5h` URL）；也可写作 `http_proxy`。需要 "
     "USE_ENV_PROXY。"}};
  Setting<Secret> https_proxy{*this, "HTTPS_PROXY", Secret(),
    {"Proxy for `https` upstreams; also as `https_proxy`. Needs USE_ENV_PROXY.",
     "`https` 上游使用的代理；也可写作 `https_proxy`。需要 USE_ENV_PROXY。"}};
  Setting<Secret> all_proxy{*this, "ALL_PROXY", Secret(),
    {"Proxy where the two above are unset; also as `all_proxy`. Needs USE_ENV_PROXY.",
     "以上两项未设置时使用的代理；也可写作 `all_proxy`。需要 USE_ENV_PROXY。"}};
  Setting<std::string> no_proxy{*this, "NO_PROXY", "",
    {"Comma list of host names, domain suffixes and addresses that are reached directly; also as `no_proxy`. Needs "
     "USE_ENV_PROXY.",
     "直接连接的主机名、域名后缀和地址，以逗号分隔；也可写作 `no_proxy`。需要 USE_ENV_PROXY。"}};

  SettingGroup storage_group{*this, {"Storage", "存储"}};
  Setting<std::string> database_path{*this, "DATABASE_PATH", "data/api_key_rotator.db",
    {"SQLite file; relative paths start at the working directory.", "SQLite 文件；相对路径以工作目录为起点。"}};
  Setting<std::string> data_dir{*this, "DATA_DIR", "",
    {"Directory of generated secrets. Unset: the directory of DATABASE_PATH; with a database server, `data`.",
     "保存自动生成的密钥的目录。不设置时为 DATABASE_PATH 所在目录；使用数据库服务器时为 `data`。"}};
  Setting<Secret> encryption_key{*this, "ENCRYPTION_KEY", Secret(),
    {"Encrypts the upstream keys in the database. Unset: generated at the first start and kept in DATA_DIR. Without "
     "it the stored keys are lost: back it up. All gateways on one database need the same.",
     "用于加密数据库中的上游密钥。不设置时首次启动生成并保存在 DATA_DIR。丢失后已存密钥无法恢复，请备份。"
     "使用同一数据库的所有网关必须相同。"}, key32()};
  Setting<DatabaseKind> db_type{*this, "DB_TYPE", DatabaseKind::kUnset,
    {"Which database to use; wins over the settings below. Unset: what DATABASE_URL says, or else SQLite.",
     "使用哪种数据库；优先于以下各项。不设置时由 DATABASE_URL 决定，否则为 SQLite。"}};
  Setting<Secret> database_url{*this, "DATABASE_URL", Secret(),
    {"Address of the database: `sqlite:PATH`, or `TYPE://USER:PASSWORD@HOST:PORT/NAME` with a server's word of DB_TYPE "
     "(MySQL also as `USER:PASSWORD@tcp(HOST:PORT)/NAME`), percent-encoded; `?sslmode=` and the like behind it. User, "
     "password and name may be left to the settings below.",
     "数据库地址：`sqlite:PATH`，或以 DB_TYPE 中服务器的名称写成 `TYPE://USER:PASSWORD@HOST:PORT/NAME`（MySQL 也可写作 "
     "`USER:PASSWORD@tcp(HOST:PORT)/NAME`），需要百分号编码；其后可带 `?sslmode=` 等选项。用户、密码和库名可以留给以下各项。"}};
  Setting<std::string> db_host{*this, "DB_HOST", "",
    {"Host of the server, or the path of its socket (PostgreSQL: of the socket's directory). Without DB_TYPE or "
     "DATABASE_URL this and what follows choose nothing. Unset: `localhost`.",
     "服务器主机，或其套接字的路径（PostgreSQL 为套接字所在目录）。没有 DB_TYPE 或 DATABASE_URL 时，此项及以下各项不起选择作用。不设置时为 "
     "`localhost`。"}};
  Setting<std::uint32_t> db_port{*this, "DB_PORT", 0,
    {"Port of the server; 0 means the usual one: " + usual_ports().en + ".",
     "服务器端口；0 表示通常的端口：" + usual_ports().zh + "。"}, between(0U, 65535U)};
  Setting<std::string> db_user{*this, "DB_USER", "",
    {"User name at the server. Unset: " + usual_users().en + ".", "服务器的用户名。不设置时为 " + usual_users().zh + "。"}};
  Setting<Secret> db_password{*this, "DB_PASSWORD", Secret(),
    {"Password at the server, as it is: nothing is encoded.", "服务器的密码，按原样填写，无需编码。"}};
  Setting<std::string> db_name{*this, "DB_NAME", "api_key_rotator",
    {"Name of the database. Where DATABASE_URL is set and names none, this must be set, too.",
     "数据库名。设置了 DATABASE_URL 而其中没有库名时，必须设置此项。"}};
  Setting<std::string> mysql_db_host{*this, "MYSQL_DB_HOST", "",
    {"Another name of DB_HOST, for MySQL.", "DB_HOST 的别名，用于 MySQL。"}};
  Setting<std::string> mysql_host{*this, "MYSQL_HOST", "",
    {"Another name of DB_HOST, for MySQL.", "DB_HOST 的别名，用于 MySQL。"}};
  Setting<DatabaseTls> db_ssl_mode{*this, "DB_SSL_MODE", DatabaseTls::kPrefer,
    {"TLS to the server: never, where it offers it, always, always with a certificate that DB_SSL_CA signed, and that "
     "names the host. With DB_SSL_CA, unset and `require` mean `verify-ca`. DATABASE_URL wins.",
     "与服务器之间的 TLS：从不使用、服务器支持时使用、始终使用、始终使用且证书由 DB_SSL_CA 签发、并且证书与主机名相符。设置了 DB_SSL_CA "
     "时，不设置和 `require` 等同于 `verify-ca`。DATABASE_URL 优先。"}};
  Setting<std::string> db_ssl_ca{*this, "DB_SSL_CA", "",
    {"PEM file with the certificate authorities of the server. Unset: the system's.",
     "服务器的 CA 证书（PEM 文件）。不设置时使用系统证书。"}};
  Setting<std::string> db_ssl_cert{*this, "DB_SSL_CERT", "",
    {"PEM file with the certificate that the server asks the gateway for. Needs DB_SSL_KEY.",
     "服务器要求网关出示的证书（PEM 文件）。需要 DB_SSL_KEY。"}};
  Setting<std::string> db_ssl_key{*this, "DB_SSL_KEY", "",
    {"PEM file with the private key of DB_SSL_CERT.", "DB_SSL_CERT 对应的私钥（PEM 文件）。"}};
  Setting<std::uint32_t> db_pool_size{*this, "DB_POOL_SIZE", 10,
    {"Most connections to the database server at the same time.", "同时与数据库服务器保持的最大连接数。"}, between(1U, 200U)};
  Setting<Milliseconds> db_timeout{*this, "DB_TIMEOUT", seconds(5),
    {"Longest time of one operation on the database server, with all its tries; then a change gets 503.",
     "数据库服务器上一次操作（含重试）的最长时间，超过后更改请求返回 503。"}, between(Milliseconds(100), seconds(60))};
  Setting<Milliseconds> startup_wait{*this, "STARTUP_WAIT", seconds(60),
    {"How long the start waits for a database server that cannot be reached yet; then exit code 75.",
     "启动时等待暂时无法连接的数据库服务器的时间，超过后以退出码 75 结束。"}, from_to_seconds(0, 3600)};
  Setting<bool> reset_db_tables{*this, "RESET_DB_TABLES", false,
    {"Empties all tables at start, after a backup copy whose path is logged. Remove it afterwards.",
     "启动时清空所有表，之前先做备份并在日志中写明路径。用后请移除。"}};

  SettingGroup cluster_group{*this, {"Cluster state", "集群状态"}};
  Setting<CacheKind> cache_type{*this, "CACHE_TYPE", CacheKind::kUnset,
    {"Where nodes share their state; wins over the settings below. This build has memory only (one node).",
     "节点之间共享状态的方式；优先于以下各项。此版本仅支持内存（单节点）。"}};
  Setting<Secret> redis_url{*this, "REDIS_URL", Secret(),
    {"Address of the Redis server: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]`, `rediss://` for TLS.",
     "Redis 地址：`redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]`，使用 TLS 时为 `rediss://`。"}};
  Setting<std::string> redis_host{*this, "REDIS_HOST", "",
    {"Host of the Redis server.", "Redis 服务器主机。"}};
  Setting<std::uint32_t> redis_port{*this, "REDIS_PORT", 6379,
    {"Port of the Redis server.", "Redis 服务器端口。"}, between(1U, 65535U)};
  Setting<Secret> redis_password{*this, "REDIS_PASSWORD", Secret(),
    {"Password of the Redis server.", "Redis 服务器密码。"}};
  Setting<std::uint32_t> redis_db{*this, "REDIS_DB", 0,
    {"Number of the Redis database.", "Redis 数据库编号。"}, between(0U, 65535U)};

  SettingGroup operation_group{*this, {"Operation", "运行"}};
  Setting<LogLevel> log_level{*this, "LOG_LEVEL", LogLevel::kInfo,
    {"Least level of application log lines on standard error.", "标准错误输出的应用日志的最低级别。"}};
  Setting<bool> access_log{*this, "ACCESS_LOG", true,
    {"One JSON line on standard output for each proxied request.", "每个代理请求在标准输出写一行 JSON。"}};
  Setting<bool> metrics{*this, "METRICS", true,
    {"Serves Prometheus metrics at `/metrics`.", "在 `/metrics` 提供 Prometheus 指标。"}};
  Setting<Secret> metrics_token{*this, "METRICS_TOKEN", Secret(),
    {"Bearer token that `/metrics` asks for. Unset: open.", "访问 `/metrics` 所需的 Bearer 令牌。不设置时公开。"}};
  Setting<Milliseconds> shutdown_delay{*this, "SHUTDOWN_DELAY", seconds(3),
    {"How long the listener stays open after SIGTERM while `/readyz` already answers 503.",
     "收到 SIGTERM 后 `/readyz` 已返回 503，而监听端口继续开放的时间。"}, from_to_seconds(0, 3600)};
  Setting<Milliseconds> shutdown_grace{*this, "SHUTDOWN_GRACE", seconds(60),
    {"How long running requests may take after SIGTERM before they are cut.",
     "收到 SIGTERM 后仍在进行的请求最多可持续的时间，之后会被中断。"}, from_to_seconds(0, 86'400)};

  // What load_settings() wants an operator to know though it does not stop the start; the app logs it.
  std::vector<std::string> warnings;
};
// clang-format on

}  // namespace akr
