//! Completions and manual pages.

use std::fs;

use crate::support::{code, ctl, err, out};

#[test]
fn completions_are_made_for_every_shell() {
    let dir = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let made = ctl(dir.path(), &["completions", shell]);
        assert_eq!((code(&made), err(&made)), (0, String::new()), "{shell}");
        for word in ["doctor", "restart", "forget", "--take-over"] {
            // Some write the word and its dashes apart.
            assert!(out(&made).contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
    assert_eq!(code(&ctl(dir.path(), &["completions", "cmd"])), 2);
    assert!(fs::read_dir(dir.path()).expect("it is there").next().is_none(), "no data directory was made");
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let whole = out(&ctl(dir.path(), &["man"]));
    assert!(whole.contains(".TH headroomctl 1") && whole.contains("Exit codes"), "{whole}");
    let part = out(&ctl(dir.path(), &["man", "history", "import"]));
    assert!(part.contains("headroomctl history import"), "{part}");
    assert_eq!(code(&ctl(dir.path(), &["man", "histroy"])), 2);
    let pages = dir.path().join("man1");
    assert_eq!(code(&ctl(dir.path(), &["man", "--dir", &pages.to_string_lossy()])), 0);
    for page in
        ["headroomctl", "headroomctl-serve", "headroomctl-cache-forget-track", "headroomctl-history-import"]
    {
        let text = fs::read_to_string(pages.join(format!("{page}.1"))).expect("it is written");
        assert!(text.contains(&format!(".TH {page} 1")), "{text}");
    }
}
