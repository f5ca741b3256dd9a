#include "store/config_store_contract.hpp"
#include "store/key_store_contracts.hpp"
#include "store/server_fixture.hpp"

namespace akr {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Mysql, ConfigStoreContract, MysqlHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Mysql, KeyStateStoreContract, MysqlHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Mysql, KeyPinStoreContract, MysqlHarness);

}  // namespace
}  // namespace akr
