//! How much memory a process has used at most.

/// Of this process, in KiB; 0 where the machine does not say.
pub fn peak_kib() -> u64 {
    peak_of("self")
}

/// Of another process.
pub fn peak_kib_of(pid: u32) -> u64 {
    peak_of(&pid.to_string())
}

/// `VmHWM`: the most that was ever resident, shared pages of programs and libraries among it.
fn peak_of(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_once_stays_counted() {
        let before = peak_kib();
        let big = vec![1_u8; 64 << 20];
        assert!(big.iter().map(|b| u64::from(*b)).sum::<u64>() == 64 << 20);
        drop(big);
        assert!(before > 0 && peak_kib() >= before.min(60 << 10) && peak_kib() > 60 << 10);
    }
}
