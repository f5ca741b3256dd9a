#include "admin/wire_fields.hpp"

#include <concepts>
#include <string>

#include "core/service/describe_fields.hpp"

namespace akr {
namespace {

// Reads the member that `field` stands for into `object`.
template <class Owner>
struct FieldReader {
  MemberReader& in;
  const Field<Owner>& field;
  Owner& object;
  const Owner& fresh;

  void operator()(bool& (*at)(Owner&)) const {
    in.flag(field.name, at(object), nullable() ? std::optional(look(at, fresh)) : std::nullopt);
  }

  template <std::integral Number>
  void operator()(Number& (*at)(Owner&)) const {
    in.whole(field.name, at(object), field.bounds.least, field.bounds.most, look(at, fresh));
  }

  void operator()(std::chrono::milliseconds& (*at)(Owner&)) const {
    std::int64_t number = at(object).count();
    const std::int64_t initial = look(at, fresh).count();
    in.whole(field.name, number, field.bounds.least, field.bounds.most, initial);
    at(object) = std::chrono::milliseconds(number);
  }

  void operator()(std::string& (*at)(Owner&)) const {
    std::string given = at(object);
    read_text(given, look(at, fresh));
    // A client that sends back what it was shown has not changed it.
    if (!field.sealed || given != mask_egress_proxy(at(object))) at(object) = given;
  }

  void operator()(const Worded<Owner>& worded) const {
    if (in.any(field.name) == nullptr) return;
    std::string given;
    read_text(given, worded.if_null == nullptr ? "" : worded.if_null(object));
    if (in.any(field.name) == nullptr) return;  // it was no text
    if (const auto read = worded.read(given, object); !read) in.refuse(read.error());
  }

  void operator()(const Listed<Owner>& listed) const {
    const boost::json::value* member = in.any(field.name);
    if (member == nullptr) return;
    const auto read = member->is_null() ? listed.read(boost::json::array(), object) : listed.read(*member, object);
    if (!read) in.refuse(read.error());
  }

 private:
  bool nullable() const { return field.nullable && !(field.required && field.applies == AppliesTo::kAllServices); }
  void read_text(std::string& text, const std::string& if_null) const {
    nullable() ? in.text(field.name, text, if_null) : in.text(field.name, text);
  }
};

bool is_zero(const boost::json::value& value) {
  return (value.is_int64() && value.get_int64() == 0) || (value.is_string() && value.get_string().empty()) ||
         (value.is_bool() && !value.get_bool());
}

}  // namespace

template <class Owner>
void read_field(MemberReader& in, const Field<Owner>& field, Owner& object, const Owner& fresh) {
  std::visit(FieldReader<Owner>{in, field, object, fresh}, field.member);
}

template <class Owner>
void write_field(const Field<Owner>& field, const Owner& object, boost::json::object& out) {
  auto value = field_value(field, object);
  if (!value || (field.shown_if_set && is_zero(*value))) return;
  if (field.sealed) value = mask_egress_proxy(std::string(value->as_string()));
  out[field.name] = *std::move(value);
}

std::string mask_egress_proxy(const std::string& url) {
  const auto scheme = url.find("://");
  const auto at = url.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos) return url;
  const auto colon = url.find(':', scheme + 3);
  if (colon == std::string::npos || colon > at) return url;
  return url.substr(0, colon + 1) + "****" + url.substr(at);
}

template void read_field(MemberReader&, const Field<Service>&, Service&, const Service&);
template void read_field(MemberReader&, const Field<UpstreamKey>&, UpstreamKey&, const UpstreamKey&);
template void read_field(MemberReader&, const Field<NewKey>&, NewKey&, const NewKey&);
template void write_field(const Field<Service>&, const Service&, boost::json::object&);
template void write_field(const Field<UpstreamKey>&, const UpstreamKey&, boost::json::object&);

}  // namespace akr
