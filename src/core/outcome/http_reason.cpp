#include "core/outcome/http_reason.hpp"

#include <algorithm>
#include <iterator>

namespace akr {
namespace {

struct Named {
  int status;
  std::string_view reason;
};

// Ascending.
constexpr Named kNamed[] = {
    {301, "http_301"}, {302, "http_302"}, {303, "http_303"}, {304, "http_304"}, {307, "http_307"}, {308, "http_308"},
    {400, "http_400"}, {401, "http_401"}, {402, "http_402"}, {403, "http_403"}, {404, "http_404"}, {405, "http_405"},
    {406, "http_406"}, {408, "http_408"}, {409, "http_409"}, {410, "http_410"}, {411, "http_411"}, {412, "http_412"},
    {413, "http_413"}, {414, "http_414"}, {415, "http_415"}, {416, "http_416"}, {417, "http_417"}, {421, "http_421"},
    {422, "http_422"}, {423, "http_423"}, {424, "http_424"}, {425, "http_425"}, {426, "http_426"}, {428, "http_428"},
    {429, "http_429"}, {431, "http_431"}, {432, "http_432"}, {433, "http_433"}, {451, "http_451"}, {499, "http_499"},
    {500, "http_500"}, {501, "http_501"}, {502, "http_502"}, {503, "http_503"}, {504, "http_504"}, {505, "http_505"},
    {507, "http_507"}, {508, "http_508"}, {511, "http_511"}, {520, "http_520"}, {521, "http_521"}, {522, "http_522"},
    {523, "http_523"}, {524, "http_524"}, {525, "http_525"}, {526, "http_526"}, {527, "http_527"}, {529, "http_529"},
    {530, "http_530"}};

}  // namespace

std::string_view http_reason(int status) {
  const auto* found = std::lower_bound(std::begin(kNamed), std::end(kNamed), status,
                                       [](const Named& named, int wanted) { return named.status < wanted; });
  if (found != std::end(kNamed) && found->status == status) return found->reason;
  constexpr std::string_view kClasses[] = {"http_1xx", "http_2xx", "http_3xx", "http_4xx", "http_5xx"};
  return status >= 100 && status < 600 ? kClasses[status / 100 - 1] : "http_other";
}

}  // namespace akr
