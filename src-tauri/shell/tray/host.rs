//! Whether this desktop has a place for tray icons.
//!
//! Windows and macOS always have one. On Linux somebody must own the name that icons register with; a
//! panel may come up after an app that starts with the session.

#[cfg(not(target_os = "linux"))]
pub(super) fn is_there() -> bool {
    true
}

/// Never asked for: the place is there.
#[cfg(not(target_os = "linux"))]
pub(super) async fn appears() {}

#[cfg(target_os = "linux")]
pub(super) use linux::{appears, is_there};

#[cfg(target_os = "linux")]
mod linux {
    use futures_util::StreamExt;
    use zbus::fdo::DBusProxy;
    use zbus::names::BusName;

    const WATCHER: &str = "org.kde.StatusNotifierWatcher";

    pub(in super::super) fn is_there() -> bool {
        let asked = async {
            let bus = zbus::Connection::session().await?;
            let owned = DBusProxy::new(&bus).await?.name_has_owner(BusName::try_from(WATCHER)?).await?;
            Ok::<_, zbus::Error>(owned)
        };
        tauri::async_runtime::block_on(asked).unwrap_or(false)
    }

    /// Ends when somebody owns the name; never, where there is no bus.
    pub(in super::super) async fn appears() {
        if let Err(error) = wait().await {
            tracing::info!("no tray will come: {error}");
            std::future::pending::<()>().await;
        }
    }

    async fn wait() -> zbus::Result<()> {
        let bus = zbus::Connection::session().await?;
        let names = DBusProxy::new(&bus).await?;
        let mut changes = names.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
        // It may have come between the look and the watch.
        if names.name_has_owner(BusName::try_from(WATCHER)?).await? {
            return Ok(());
        }
        while let Some(change) = changes.next().await {
            if change.args()?.new_owner().is_some() {
                break;
            }
        }
        Ok(())
    }
}
