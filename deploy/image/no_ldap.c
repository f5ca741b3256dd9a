/* Stands in for OpenLDAP's library in the enterprise image.

   libpq asks LDAP for connection parameters where a service file says so.  The gateway hands it all parameters and reads
   no service file, so nothing here is ever called; but the real library brings GnuTLS and ten more along, 7 MB that would
   have to be shipped and watched.  Each answer is the one of a server that is not there. */

#include <stddef.h>

enum { kServerDown = -1 };

void *ldap_init(const char *host, int port) { return (void)host, (void)port, NULL; }
int ldap_set_option(void *ld, int option, const void *value) { return (void)ld, (void)option, (void)value, kServerDown; }
int ldap_simple_bind(void *ld, const char *who, const char *password) {
  return (void)ld, (void)who, (void)password, kServerDown;
}
int ldap_result(void *ld, int id, int all, void *timeout, void **result) {
  return (void)ld, (void)id, (void)all, (void)timeout, (void)result, kServerDown;
}
int ldap_search_st(void *ld, const char *base, int scope, const char *filter, char **names, int names_only,
                   void *timeout, void **result) {
  (void)ld, (void)base, (void)scope, (void)filter, (void)names, (void)names_only, (void)timeout, (void)result;
  return kServerDown;
}
int ldap_count_entries(void *ld, void *chain) { return (void)ld, (void)chain, 0; }
void *ldap_first_entry(void *ld, void *chain) { return (void)ld, (void)chain, NULL; }
void **ldap_get_values_len(void *ld, void *entry, const char *name) { return (void)ld, (void)entry, (void)name, NULL; }
void ldap_value_free_len(void **values) { (void)values; }
int ldap_msgfree(void *message) { return (void)message, 0; }
int ldap_unbind(void *ld) { return (void)ld, 0; }
char *ldap_err2string(int code) {
  static char text[] = "LDAP is not part of this image";
  return (void)code, text;
}
