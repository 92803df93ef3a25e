//! Whether this desktop has a place for tray icons.

/// Windows and macOS always have one.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_there() -> bool {
    true
}

/// On Linux somebody must own the name that icons register with.
#[cfg(target_os = "linux")]
pub(super) fn is_there() -> bool {
    tauri::async_runtime::block_on(watcher_owns_its_name()).unwrap_or(false)
}

#[cfg(target_os = "linux")]
async fn watcher_owns_its_name() -> zbus::Result<bool> {
    let bus = zbus::Connection::session().await?;
    let names = zbus::fdo::DBusProxy::new(&bus).await?;
    let watcher = zbus::names::BusName::try_from("org.kde.StatusNotifierWatcher")?;
    Ok(names.name_has_owner(watcher).await?)
}
