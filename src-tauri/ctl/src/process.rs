//! Other processes, as the system sees them.

use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

/// Resident bytes, and percent of one core over a short while.
pub(crate) async fn usage(pid: u32) -> (u64, f32) {
    let Ok(mut system) = System::new() else { return (0, 0.0) };
    let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
    look(&mut system, pid, kind);
    tokio::time::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL.max(Duration::from_millis(200))).await;
    look(&mut system, pid, kind);
    system.process(Pid::from_u32(pid)).map_or((0, 0.0), |process| (process.memory(), process.cpu_usage()))
}

/// Whether there is such a process. One that ended and is still in its parent's list is none.
pub(crate) fn is_alive(pid: u32) -> bool {
    let Ok(mut system) = System::new() else { return false };
    look(&mut system, pid, ProcessRefreshKind::nothing());
    let status = system.process(Pid::from_u32(pid)).map(sysinfo::Process::status);
    status.is_some_and(|status| !matches!(status, ProcessStatus::Zombie | ProcessStatus::Dead))
}

fn look(system: &mut System, pid: u32, kind: ProcessRefreshKind) {
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[Pid::from_u32(pid)]), true, kind);
}
