#include "cluster/local/local_cluster_state.hpp"

#include "cluster/cluster_state_contract.hpp"
#include "cluster/open.hpp"

namespace akr {
namespace {

struct LocalHarness {
  ClusterState& node() { return node_; }
  LocalClusterState node_;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Local, ClusterStateContract, LocalHarness);

TEST(OpenClusterState, KnowsLocalAndNamesWhatIsMissing) {
  EXPECT_TRUE(open_cluster_state(ClusterKind::kLocal));
  const auto redis = open_cluster_state(ClusterKind::kRedis);
  ASSERT_FALSE(redis);
  EXPECT_EQ(redis.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace akr
