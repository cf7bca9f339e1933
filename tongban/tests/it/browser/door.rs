//! What everybody sees: the demo's front, the agreement, search, signing in, in both languages and widths.

use super::Seen;
use super::stage::Stage;
use super::tab::{Tab, View};

/// Pages that need no account.
const PUBLIC: [(&str, &str); 14] = [
    ("/demo", "demo"),
    ("/demo/phone", "demo-phone"),
    ("/", "home"),
    ("/items", "items"),
    ("/items?q=%E4%BB%8E%E4%B8%9A%E8%B5%84%E6%A0%BC", "items-found"),
    ("/items/121", "guide"),
    ("/items/5", "guide-only"),
    ("/agreement", "agreement"),
    ("/agreement?state=begun", "agreement-begun"),
    ("/agreement?state=works", "agreement-works"),
    ("/help", "help"),
    ("/verify", "verify"),
    ("/register", "register"),
    ("/password/forgot", "forgot"),
];

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_look_around() {
    super::play("door", public_pages).await;
}

async fn public_pages(stage: &mut Stage) -> Seen {
    for (name, view) in [("public-390", View::Phone), ("public-1280", View::Desk)] {
        let tab = stage.tab(name, view, "430100").await?;
        look_around(&tab, "").await?;
        tab.go("/?lang=en").await?;
        look_around(&tab, "-en").await?;
    }
    let elder = stage.tab("elder-390", View::Phone, "430100").await?;
    elder.go("/?view=elder").await?;
    look_around(&elder, "").await?;
    let tab = stage.tab("door-390", View::Phone, "430100").await?;
    a_wrong_password_is_said(&tab).await?;
    what_needs_an_account_asks_for_it(&tab).await
}

async fn look_around(tab: &Tab, suffix: &str) -> Seen {
    for (path, shot) in PUBLIC {
        tab.go(path).await?;
        tab.look(&format!("{shot}{suffix}")).await?;
    }
    Ok(())
}

/// The summary of errors has the focus, the title begins with the count, what was typed stays, the password does not.
async fn a_wrong_password_is_said(tab: &Tab) -> Seen {
    tab.go("/sign-in").await?;
    tab.look("sign-in").await?;
    tab.fill("login", "driver@430100").await?;
    tab.fill("password", "wrong-password").await?;
    tab.press("form[action='/sign-in'] button[type=submit]").await?;
    tab.look("sign-in-wrong").await?;
    tab.says_errors(1).await?;
    tab.holds("login", "driver@430100").await?;
    tab.holds("password", "").await
}

/// Whoever comes to a page of a resident signs in and arrives there.
async fn what_needs_an_account_asks_for_it(tab: &Tab) -> Seen {
    tab.go("/looks").await?;
    tab.is_at("/sign-in").await?;
    tab.fill("login", "driver@430100").await?;
    tab.fill("password", super::tab::PASSWORD).await?;
    tab.press("form[action='/sign-in'] button[type=submit]").await?;
    tab.is_at("/looks").await
}
