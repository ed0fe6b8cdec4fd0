// Dead-letter queues and message move tasks, between queues of either kind.
#include <gmock/gmock.h>

#include "engine_fixture.hpp"

namespace penstock::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Every test runs with standard queues and with FIFO queues.
class DeadLetterTest : public EngineFixture, public ::testing::WithParamInterface<bool> {
 protected:
  bool fifo() const { return GetParam(); }
  QueueName named(const std::string& name) const {
    return {"000000000000", "us-east-1", name + (fifo() ? ".fifo" : "")};
  }
  void create_named(const QueueName& name, StringMap attributes = {}, std::optional<RedrivePolicy> redrive = {}) {
    if (fifo()) attributes["FifoQueue"] = "true";
    if (redrive) attributes["RedrivePolicy"] = "{}";
    call<Done>(CreateQueue{name, std::move(attributes), {}, std::move(redrive), {}});
  }
  void create_pair(int max_receive_count, StringMap source_attributes = {}) {
    queue_ = source_;
    create_named(dead_);
    create_named(source_, std::move(source_attributes), RedrivePolicy{arn_of(dead_), max_receive_count});
  }
  void set_redrive(std::optional<RedrivePolicy> redrive) {
    SetQueueAttributes command{source_, {{"RedrivePolicy", redrive ? "{}" : ""}}, std::move(redrive), {}};
    call<Done>(std::move(command));
  }
  Sent put(const QueueName& queue, const std::string& body, const std::string& group = "g") {
    SendMessages command = message(body);
    command.queue = queue;
    if (fifo()) {
      command.messages[0].content.group_id = group;
      command.messages[0].content.deduplication_id = body;
    }
    return std::get<Sent>(call<SendResults>(command).entries.at(0));
  }
  std::vector<Delivery> take(const QueueName& queue, int max = 10, int visibility = 30) {
    return call<Deliveries>(ReceiveMessages{queue, max, visibility, 0, {}}).messages;
  }
  std::vector<std::string> take_bodies(const QueueName& queue, int max = 10, int visibility = 30) {
    return bodies(take(queue, max, visibility));
  }
  // Receives what is there so often that the next receive finds dead letters.
  void exhaust(int times) {
    for (int i = 0; i < times; ++i) take(source_, 10, 0);
  }
  std::string start_task(std::optional<QueueName> destination = {}, int per_second = 0) {
    return call<MoveTaskStarted>(StartMessageMoveTask{dead_, std::move(destination), per_second}).task_id;
  }
  MoveTaskReport latest_task() {
    const auto tasks = call<MoveTasks>(ListMessageMoveTasks{dead_, 1}).tasks;
    return tasks.empty() ? MoveTaskReport{} : tasks.front();
  }
  std::string attribute_of(const QueueName& queue, const std::string& name) {
    return call<QueueAttributes>(GetQueueAttributes{queue, {name}}).attributes[name];
  }

  const QueueName source_ = named("source");
  const QueueName dead_ = named("dead");
};

TEST_P(DeadLetterTest, MovesOnTheReceiveAfterTheLast) {
  create_pair(2);
  const Sent sent = put(source_, "poison");
  EXPECT_THAT(take_bodies(source_, 10, 0), ElementsAre("poison"));
  EXPECT_THAT(take_bodies(source_, 10, 0), ElementsAre("poison"));
  EXPECT_THAT(take_bodies(dead_), IsEmpty());
  EXPECT_THAT(take_bodies(source_), IsEmpty());
  const auto dead = take(dead_);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].receive_count, 3U) << "the count goes on";
  const auto stored = store_.message(dead[0].queue, dead[0].sequence);
  EXPECT_EQ(stored->message_id, sent.message_id);
  EXPECT_EQ(stored->dead_letter_source, arn_of(source_));
  EXPECT_EQ(store_.arrival_count(), 0U);
  EXPECT_EQ(store_.message_count(), 1U);
  EXPECT_EQ(store_.state_count(), 1U);
}

TEST_P(DeadLetterTest, AReceiveThatMovesDeadLettersStillDeliversWhatIsBehindThem) {
  create_pair(1);
  put(source_, "poison", "a");
  exhaust(1);
  put(source_, "good", "b");
  EXPECT_THAT(take_bodies(source_), ElementsAre("good"));
  EXPECT_THAT(take_bodies(dead_), ElementsAre("poison"));
}

TEST_P(DeadLetterTest, TheNextOfAGroupComesWhenTheDeadLetterHasGone) {
  create_pair(1);
  put(source_, "poison");
  exhaust(1);
  put(source_, "good");
  EXPECT_THAT(take_bodies(source_), ElementsAre("good"));
}

TEST_P(DeadLetterTest, AMissingDeadLetterQueueDestroysNothing) {
  create_pair(1);
  put(source_, "poison");
  exhaust(1);
  call<Done>(DeleteQueue{dead_});
  for (std::uint32_t count = 2; count < 5; ++count) {
    const auto again = take(source_, 10, 0);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].receive_count, count);
  }
  create_named(dead_);
  EXPECT_THAT(take_bodies(source_), IsEmpty());
  EXPECT_THAT(take_bodies(dead_), ElementsAre("poison"));
}

TEST_P(DeadLetterTest, RetentionGoesOnInAStandardQueueAndBeginsAnewInAFifoQueue) {
  create_pair(1);
  call<Done>(SetQueueAttributes{dead_, {{"MessageRetentionPeriod", "60"}}});
  put(source_, "poison");
  pass(Millis{40'000});
  exhaust(2);
  pass(Millis{20'000});
  if (fifo()) {
    EXPECT_EQ(take(dead_, 10, 0).size(), 1U);
    pass(Millis{40'000});
  }
  EXPECT_THAT(take(dead_, 10, 0), IsEmpty());
}

TEST_P(DeadLetterTest, APolicyMayBeClearedAndChanged) {
  create_pair(1);
  put(source_, "poison");
  exhaust(1);
  set_redrive(std::nullopt);
  EXPECT_THAT(take_bodies(source_, 10, 0), ElementsAre("poison"));
  restart();
  EXPECT_THAT(take_bodies(source_, 10, 0), ElementsAre("poison"));
  set_redrive(RedrivePolicy{arn_of(dead_), 3});
  restart();
  EXPECT_THAT(take_bodies(source_), IsEmpty());
  EXPECT_THAT(take_bodies(dead_), ElementsAre("poison"));
}

TEST_P(DeadLetterTest, ADeadLetterQueueCountsItsOwnReceivesForItsOwnPolicy) {
  create_pair(2);
  create_named(named("last"));
  SetQueueAttributes chain{dead_, {{"RedrivePolicy", "{}"}}, RedrivePolicy{arn_of(named("last")), 2}, {}};
  call<Done>(chain);
  put(source_, "poison");
  exhaust(3);
  restart();
  EXPECT_THAT(take_bodies(dead_, 10, 0), ElementsAre("poison"));
  EXPECT_THAT(take_bodies(dead_, 10, 0), ElementsAre("poison"));
  EXPECT_THAT(take_bodies(dead_), IsEmpty());
  const auto last = take(named("last"));
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].receive_count, 5U);
}

TEST_P(DeadLetterTest, AQueueMayBeItsOwnDeadLetterQueue) {
  create_named(source_);
  set_redrive(RedrivePolicy{arn_of(source_), 1});
  put(source_, "round");
  EXPECT_EQ(take(source_, 10, 0).size(), 1U);
  EXPECT_EQ(take(source_, 10, 0).size(), 1U) << "it has arrived, and is received anew";
}

TEST_P(DeadLetterTest, ALateDeleteOfADeadLetterIsAcceptedAndWithoutEffect) {
  create_pair(1);
  put(source_, "poison");
  const auto last = take(source_, 10, 1);
  pass(Millis{1'000});
  EXPECT_THAT(take_bodies(source_), IsEmpty());
  EXPECT_EQ(remove(last[0].receipt_handle), std::nullopt);
  EXPECT_THAT(take_bodies(dead_), ElementsAre("poison"));
}

TEST_P(DeadLetterTest, MoreDeadLettersThanMayBeOnTheirWayAllArrive) {
  Limits limits;
  limits.transfers_max = 2;
  set_limits(limits);
  create_pair(1);
  std::vector<std::string> sent;
  for (int i = 0; i < 9; ++i) {
    sent.push_back(std::to_string(i));
    put(source_, sent.back(), "g" + sent.back());
  }
  exhaust(1);
  // A receive waits for as many as may be on their way, not for all there are.
  for (int i = 0; i < 5; ++i) EXPECT_THAT(take_bodies(source_), IsEmpty());
  EXPECT_THAT(take_bodies(dead_), ::testing::UnorderedElementsAreArray(sent));
}

TEST_P(DeadLetterTest, WhatIsNoDeadLetterDoesNotWaitBehindThem) {
  Limits limits;
  limits.transfers_max = 1;
  set_limits(limits);
  create_pair(1);
  for (int i = 0; i < 5; ++i) put(source_, std::to_string(i), "g" + std::to_string(i));
  exhaust(1);
  put(source_, "fresh", "h");
  EXPECT_THAT(take_bodies(source_), ElementsAre("fresh"));
}

TEST_P(DeadLetterTest, ATaskWaitsForWhatItsGroupHasInFlight) {
  create_named(dead_);
  create_named(named("target"));
  for (const char* body : {"1", "2", "3"}) put(dead_, body);
  const auto held = take(dead_, 1, 5);
  start_task(named("target"));
  EXPECT_EQ(latest_task().status, fifo() ? MoveTaskStatus::running : MoveTaskStatus::completed);
  EXPECT_EQ(latest_task().to_move, 2U);
  EXPECT_EQ(latest_task().moved, fifo() ? 0U : 2U);
  if (!fifo()) return;
  restart();
  EXPECT_EQ(latest_task().status, MoveTaskStatus::running);
  call<EntryResults>(DeleteMessages{dead_, {held[0].receipt_handle}});
  EXPECT_EQ(latest_task().status, MoveTaskStatus::completed);
  EXPECT_EQ(latest_task().moved, 2U);
  EXPECT_THAT(take_bodies(named("target")), ElementsAre("2", "3"));
}

TEST_P(DeadLetterTest, OnlyAllowedSourcesMayNameAQueue) {
  queue_ = source_;
  create_named(dead_);
  create_named(source_);
  const auto check = [&] { return ask(CheckRedriveTarget{dead_, source_, "{P}"}); };
  const auto refused = [&](CallId id) { return std::holds_alternative<Error>(replies_.at(id)); };
  EXPECT_FALSE(refused(check()));
  SetQueueAttributes deny{dead_, {{"RedriveAllowPolicy", "{}"}}, {}, RedriveAllowPolicy{}};
  deny.redrive_allow->permission = RedriveAllowPolicy::Permission::deny_all;
  call<Done>(deny);
  restart();
  const CallId denied = check();
  ASSERT_TRUE(refused(denied));
  EXPECT_THAT(std::get<Error>(replies_.at(denied)).message,
              HasSubstr("Value {P} for parameter RedrivePolicy is invalid. Reason: "));
  deny.redrive_allow->permission = RedriveAllowPolicy::Permission::by_queue;
  deny.redrive_allow->source_arns = {"arn:aws:sqs:us-east-1:000000000000:other"};
  call<Done>(deny);
  EXPECT_TRUE(refused(check()));
  deny.redrive_allow->source_arns.push_back(arn_of(source_));
  call<Done>(deny);
  EXPECT_FALSE(refused(check()));
  const QueueName missing = named("missing");
  EXPECT_THAT(call_error(CheckRedriveTarget{missing, source_, "{P}"}).message,
              HasSubstr("Dead letter target does not exist."));
}

TEST_P(DeadLetterTest, ListsTheSourcesOfADeadLetterQueue) {
  create_pair(3);
  create_named(named("unrelated"));
  ListQueues list{"000000000000", "us-east-1", "", "", 10, arn_of(dead_)};
  EXPECT_THAT(call<QueueNames>(list).queues, ElementsAre(source_));
}

// ---- Message move tasks

TEST_P(DeadLetterTest, ATaskReturnsMessagesToWhereTheyCameFromWithNewIds) {
  create_pair(1);
  const Sent sent = put(source_, "again");
  exhaust(2);
  pass(Millis{1'000});
  start_task();
  EXPECT_EQ(latest_task().status, MoveTaskStatus::completed);
  EXPECT_EQ(latest_task().moved, 1U);
  EXPECT_EQ(latest_task().to_move, 1U);
  const auto back = take(source_);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].receive_count, 1U);
  const auto stored = store_.message(back[0].queue, back[0].sequence);
  EXPECT_NE(stored->message_id, sent.message_id);
  EXPECT_EQ(stored->sent, now_);
  EXPECT_EQ(stored->dead_letter_source, "");
  EXPECT_THAT(take_bodies(dead_), IsEmpty());
}

TEST_P(DeadLetterTest, ATaskKeepsToItsRateAndReportsItsProgress) {
  create_named(dead_);
  create_named(named("target"));
  for (int i = 0; i < 10; ++i) put(dead_, std::to_string(i), "g" + std::to_string(i));
  start_task(named("target"), 2);
  EXPECT_EQ(latest_task().moved, 1U);
  pass(Millis{2'000});
  EXPECT_EQ(latest_task().moved, 5U);
  EXPECT_EQ(latest_task().status, MoveTaskStatus::running);
  EXPECT_EQ(call_error(StartMessageMoveTask{dead_, {}, 0}).message,
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time.");
  restart();
  pass(Millis{1'000});
  EXPECT_GT(latest_task().moved, 5U) << "not resumed by the restart";
  pass(Millis{5'000});
  EXPECT_EQ(latest_task().moved, 10U);
  EXPECT_EQ(latest_task().status, MoveTaskStatus::completed);
  EXPECT_THAT(take_bodies(named("target"), 10), ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"));
  restart();
  EXPECT_EQ(latest_task().status, MoveTaskStatus::completed);
}

TEST_P(DeadLetterTest, ATaskMovesWhatWasThereWhenItStarted) {
  create_named(dead_);
  create_named(named("target"));
  for (int i = 0; i < 4; ++i) put(dead_, std::to_string(i), "g" + std::to_string(i));
  start_task(named("target"), 1);
  put(dead_, "later", "h");
  pass(Millis{10'000});
  EXPECT_EQ(latest_task().status, MoveTaskStatus::completed);
  EXPECT_EQ(latest_task().moved, 4U);
  EXPECT_THAT(take_bodies(dead_), ElementsAre("later"));
}

TEST_P(DeadLetterTest, ATaskIsCancelled) {
  create_named(dead_);
  create_named(named("target"));
  for (int i = 0; i < 4; ++i) put(dead_, std::to_string(i), "g" + std::to_string(i));
  const std::string id = start_task(named("target"), 1);
  EXPECT_EQ(call_error(CancelMessageMoveTask{dead_, "other"}).code, ErrorCode::ResourceNotFound);
  EXPECT_EQ(call<MoveTaskCancelled>(CancelMessageMoveTask{dead_, id}).moved, 1U);
  pass(Millis{10'000});
  EXPECT_EQ(latest_task().status, MoveTaskStatus::cancelled);
  EXPECT_EQ(call_error(CancelMessageMoveTask{dead_, id}).message, "Task does not exist.");
  EXPECT_THAT(take_bodies(dead_), UnorderedElementsAre("1", "2", "3"));
}

TEST_P(DeadLetterTest, ATaskWithoutADestinationFailsAndKeepsTheMessage) {
  create_pair(1);
  put(dead_, "sent here");
  start_task();
  EXPECT_EQ(latest_task().status, MoveTaskStatus::failed);
  EXPECT_EQ(latest_task().failure_reason, "CouldNotDetermineMessageSource");
  EXPECT_THAT(take_bodies(dead_), ElementsAre("sent here"));
  create_named(named("gone"));
  put(dead_, "another", "h");
  call<Done>(DeleteQueue{named("gone")});
  start_task(named("gone"));
  EXPECT_EQ(latest_task().failure_reason, "AWS.SimpleQueueService.NonExistentQueue");
  EXPECT_THAT(take_bodies(dead_), ElementsAre("another"));
}

TEST_P(DeadLetterTest, ATaskTakesWhatWasThereAlsoFromBehindWhatCameLater) {
  create_named(dead_);
  create_named(named("target"));
  for (int i = 0; i < 3; ++i) put(dead_, std::to_string(i), "g" + std::to_string(i));
  start_task(named("target"), 1);
  put(dead_, "later", "h");
  // Received and returned in another order than they were sent: the one that came later is in front.
  const auto all = take(dead_, 10, 100);
  ASSERT_EQ(all.size(), 3U);
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    call<EntryResults>(ChangeVisibility{dead_, {{one->receipt_handle, 0}}});
  }
  pass(Millis{10'000});
  EXPECT_EQ(latest_task().status, MoveTaskStatus::completed);
  EXPECT_EQ(latest_task().moved, 3U);
  EXPECT_THAT(take_bodies(dead_), ElementsAre("later"));
}

TEST_P(DeadLetterTest, OfTasksOfTheSameInstantTheNewestGoesOnAfterARestart) {
  create_named(dead_);
  create_named(named("target"));
  for (int round = 0; round < 8; ++round) {
    start_task(named("target"));
    for (const char* group : {"a", "b", "c", "d"}) put(dead_, group + std::to_string(round), group);
    const std::string id = start_task(named("target"), 1);
    restart();
    EXPECT_EQ(latest_task().task_id, id);
    EXPECT_EQ(latest_task().status, MoveTaskStatus::running);
    pass(Millis{5'000});
    EXPECT_EQ(latest_task().status, MoveTaskStatus::completed);
  }
}

TEST_P(DeadLetterTest, AMessagePurgedOnItsWayFailsNoTask) {
  create_named(dead_);
  create_named(named("target"));
  put(dead_, "purged");
  engine_->apply(CallId{++calls_}, StartMessageMoveTask{dead_, named("target"), 0}, now_);
  Effects started = engine_->take_effects();
  store_.apply(started.mutations);
  ASSERT_EQ(started.transfers.size(), 1U);
  call<Done>(PurgeQueue{dead_});
  // The shell does not find it any more.
  const Transfer& transfer = started.transfers[0];
  call<Done>(TransferSettled{transfer.queue, transfer.sequence, ErrorCode::InternalFailure});
  EXPECT_EQ(latest_task().status, MoveTaskStatus::completed);
  EXPECT_EQ(latest_task().moved, 0U);
}

TEST_P(DeadLetterTest, OnlyTheLatestTasksAreKept) {
  create_pair(1);
  for (int i = 0; i < 14; ++i) {
    pass(Millis{1});
    start_task();
  }
  restart();
  EXPECT_EQ(call<MoveTasks>(ListMessageMoveTasks{dead_, 100}).tasks.size(), limits_.move_tasks_kept_max);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DeadLetterTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Fifo" : "Standard"; });

// ---- Tags, policies and looks

class QueueSundriesTest : public EngineFixture {};

TEST_F(QueueSundriesTest, TagsAreMergedAndRemovedAndLimited) {
  create();
  call<Done>(TagQueue{queue_, {{"a", "1"}, {"b", "2"}}});
  call<Done>(TagQueue{queue_, {{"b", "3"}}});
  call<Done>(UntagQueue{queue_, {"a", "never"}});
  restart();
  EXPECT_EQ(call<QueueTags>(ListQueueTags{queue_}).tags, (StringMap{{"b", "3"}}));
  StringMap many;
  for (int i = 0; i < 50; ++i) many["k" + std::to_string(i)] = "v";
  EXPECT_EQ(call_error(TagQueue{queue_, many}).code, ErrorCode::InvalidParameterValue);
  EXPECT_EQ(call<QueueTags>(ListQueueTags{queue_}).tags.size(), 1U);
}

TEST_F(QueueSundriesTest, APolicyIsEditedInOneStep) {
  create();
  const auto append = [](const std::string& policy, const std::string& arn) -> std::variant<std::string, Error> {
    return policy + "+" + arn;
  };
  call<Done>(EditPolicy{queue_, append});
  call<Done>(EditPolicy{queue_, append});
  restart();
  EXPECT_EQ(attribute("Policy"), "+" + arn_of(queue_) + "+" + arn_of(queue_));
  call_error(EditPolicy{queue_, [](const auto&, const auto&) { return Error{ErrorCode::OverLimit, {}}; }});
  EXPECT_NE(attribute("Policy"), "");
  call<Done>(EditPolicy{queue_, [](const auto&, const auto&) { return std::string{}; }});
  EXPECT_EQ(attribute("Policy"), "");
}

TEST_F(QueueSundriesTest, ALookTouchesNothing) {
  create();
  send("flying");
  receive(1, 100);
  send("waiting");
  send("delayed", 100);
  const auto look = [&](bool invisible, bool delayed) {
    return bodies(call<PeekedMessages>(PeekMessages{queue_, invisible, delayed}).messages);
  };
  EXPECT_THAT(look(false, false), ElementsAre("waiting"));
  EXPECT_THAT(look(true, false), UnorderedElementsAre("waiting", "flying"));
  EXPECT_THAT(look(true, true), UnorderedElementsAre("waiting", "flying", "delayed"));
  const auto received = receive(10);
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].receive_count, 1U);
}

}  // namespace
}  // namespace penstock::core
