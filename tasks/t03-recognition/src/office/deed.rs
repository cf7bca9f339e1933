//! What an approver orders about a licence (证照处置), in words; whether it is possible says the licence block.

use serde::Serialize;
use tb_base::Ctx;
use tb_identity::permit::Action;
use tb_licence::state::{Command, Standing, decide};
use tb_web::{Choice, Lang};

use super::permitted;

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deed {
    /// Hold it back for a time (暂扣).
    Suspend,
    /// End the suspension (解除暂扣).
    Lift,
    /// Annul it from the start (撤销).
    Revoke,
    /// Withdraw it as a penalty (吊销).
    Withdraw,
    /// Deregister it (注销).
    Cancel,
}

const DEEDS: [Deed; 5] = [Deed::Suspend, Deed::Lift, Deed::Revoke, Deed::Withdraw, Deed::Cancel];

impl Deed {
    /// The order of a form.
    pub(super) fn named(name: &str) -> Option<Deed> {
        DEEDS.into_iter().find(|deed| deed.name() == name)
    }

    /// How forms and programs name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Deed::Suspend => "suspend",
            Deed::Lift => "lift",
            Deed::Revoke => "revoke",
            Deed::Withdraw => "withdraw",
            Deed::Cancel => "cancel",
        }
    }

    /// The command of the licence block.
    pub(super) fn command(self) -> Command {
        match self {
            Deed::Suspend => Command::Suspend,
            Deed::Lift => Command::Lift,
            Deed::Revoke => Command::Revoke,
            Deed::Withdraw => Command::Withdraw,
            Deed::Cancel => Command::Cancel,
        }
    }

    /// Whether it cannot be taken back, so that it is asked once more.
    pub(super) fn is_final(self) -> bool {
        match self {
            Deed::Suspend | Deed::Lift => false,
            Deed::Revoke | Deed::Withdraw | Deed::Cancel => true,
        }
    }

    /// Its name for people.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Deed::Suspend => ("暂扣", "Suspend"),
            Deed::Lift => ("解除暂扣", "End the suspension"),
            Deed::Revoke => ("撤销", "Annul"),
            Deed::Withdraw => ("吊销", "Withdraw as a penalty"),
            Deed::Cancel => ("注销", "Deregister"),
        }
    }

    /// What it means.
    pub(super) fn meaning(self) -> (&'static str, &'static str) {
        match self {
            Deed::Suspend => (
                "暂停使用，各市核验立即显示“暂扣”；可以解除。",
                "It cannot be used for the time being; every city sees that at once. It can be ended.",
            ),
            Deed::Lift => ("恢复有效，有效期不变。", "It is valid again; its term stays as it was."),
            Deed::Revoke => (
                "当初就不该发：自始无效，从有效期第一天起就不算数，此前凭它做的事也可能受影响。",
                "It should never have been issued: void from the first day of its term, also for the past.",
            ),
            Deed::Withdraw => (
                "对违法行为的处罚：从今天起失效，此前仍然有效。",
                "A penalty: void from today on; until today it was valid.",
            ),
            Deed::Cancel => (
                "期满、撤销、吊销或本人申请后的登记手续：从今天起注销；已被撤销、吊销的，失效日不变。",
                "The entry that follows expiry, annulment, withdrawal or a request: deregistered from today on; an \
                 earlier day from which it is void stays.",
            ),
        }
    }

    pub(super) fn word(self, lang: Lang) -> &'static str {
        let (zh, en) = self.words();
        lang.t(zh, en)
    }

    /// The order as something to choose.
    pub(super) fn choice(self) -> Choice<'static> {
        let ((zh, en), (means_zh, means_en)) = (self.words(), self.meaning());
        Choice::new(self.name(), zh, en).note(means_zh, means_en)
    }
}

/// What the actor may order now: what the state of the licence allows and the permit table, too.
pub(super) fn allowed(ctx: &Ctx, type_id: &str, standing: &Standing) -> Vec<Deed> {
    if permitted(ctx, Action::ChangeLicence, type_id).is_err() {
        return Vec::new();
    }
    let today = ctx.now.date();
    DEEDS.into_iter().filter(|deed| decide(standing, deed.command(), today).is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{DEEDS, Deed};

    /// The name in a form, in JSON and in the history of the licence block belong together.
    #[test]
    fn names() {
        for deed in DEEDS {
            assert_eq!(Deed::named(deed.name()), Some(deed));
            assert_eq!(serde_json::to_value(deed).expect("json"), deed.name());
        }
        let finals: Vec<_> = DEEDS.into_iter().filter(|deed| deed.is_final()).map(Deed::name).collect();
        assert_eq!(finals, ["revoke", "withdraw", "cancel"]);
    }
}
