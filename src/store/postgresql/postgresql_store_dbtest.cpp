#include "store/config_store_contract.hpp"
#include "store/key_store_contracts.hpp"
#include "store/server_fixture.hpp"

namespace akr {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Postgresql, ConfigStoreContract, PostgresqlHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgresql, KeyStateStoreContract, PostgresqlHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgresql, KeyPinStoreContract, PostgresqlHarness);

}  // namespace
}  // namespace akr
