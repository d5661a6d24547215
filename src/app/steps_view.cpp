#include "app/steps_view.hpp"

#include "app/views.hpp"
#include "core/catalogue.hpp"
#include "render/change_text.hpp"

namespace catflap::app {
namespace {

constexpr std::size_t kMostNodes = 12;

std::string lock_line(const std::string& who) {
  return fmt::format("  waiting up to 60 s to see whether the run of {} is alive", who);
}

}  // namespace

void StepsView::title(const std::string& code, const std::map<std::string, std::string>& params) {
  if (plan_ == nullptr) return;  // these are the steps of closing
  if (!shown_.insert(code).second) return;
  progress_.say(style_.paint(render::Tone::strong, message_text({code, params})));
}

void StepsView::show_rollouts(const std::vector<act::Rollout>& rollouts) {
  std::string lines, live;
  for (const act::Rollout& rollout : rollouts) {
    render::RolloutView view = view_of(rollout);
    live += render::rollout_text(view, kMostNodes, style_);
    view.elapsed = Duration{};  // else every second would be news
    std::string line = render::rollout_line(view);
    line = line.substr(0, line.rfind(" ("));  // npos where the line was too long for the time
    lines += (lines.empty() ? "  " : "\n  ") + line;
  }
  progress_.update(lines, live);
}

void StepsView::show(const act::Progress& news) {
  using Stage = act::Progress::Stage;
  switch (news.stage) {
    case Stage::lock:
      progress_.update(lock_line(news.text), lock_line(news.text));
      break;
    case Stage::record:
      progress_.update("", "  recording what answers now");
      break;
    case Stage::step: {
      title("step-disable", {});
      std::string text = news.step_id;
      for (std::size_t i = 0; plan_ != nullptr && i < plan_->steps.size(); ++i) {
        if (plan_->steps[i].id == news.step_id) text = message_text(plan_->steps[i].title);
      }
      progress_.say((plan_ == nullptr ? "restoring: " : "  ") + text);
      break;
    }
    case Stage::rollout:
      title("step-wait", {});
      if (news.rollouts != nullptr) show_rollouts(*news.rollouts);
      break;
    case Stage::settle:
    case Stage::look:
    case Stage::prove: {
      if (!ports_.empty()) title("step-verify", {{"port", ports_}});
      std::string text = news.text;
      if (text.empty()) {
        text = news.stage == Stage::settle ? "waiting before the next look"
                                           : fmt::format("look {}", news.look);
      }
      progress_.update("  " + text, "  " + text);
      break;
    }
    case Stage::result:
      progress_.clear();
      break;
  }
}

}  // namespace catflap::app
