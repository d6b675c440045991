//! By which names and addresses browsers reach this server. Tablets need none of them: they check the facility's name.

use crate::tls::Host;
use axum::http::Uri;
use lamplight_domain::refusal::Refusal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// For the certificate: the host of the public URL, and where it listens. Listening everywhere, that is every address
/// which this machine has now. Errors: "url.not_https".
pub fn hosts(listen: IpAddr, public_url: Option<&str>) -> Result<Vec<Host>, Refusal> {
    let mut hosts: Vec<Host> = public_url.map(host_of).transpose()?.into_iter().collect();
    if listen.is_unspecified() {
        let read = |file| std::fs::read_to_string(file).unwrap_or_default();
        let of_v4 = addresses_v4(&read("/proc/net/fib_trie"));
        let of_v6 = addresses_v6(&read("/proc/net/if_inet6"));
        hosts.extend(of_v4.into_iter().map(IpAddr::V4).map(Host::Address));
        hosts.extend(of_v6.into_iter().map(IpAddr::V6).map(Host::Address));
    } else {
        hosts.push(Host::Address(listen));
    }
    Ok(hosts)
}

/// The host of an address that tablets and browsers may call. Errors: "url.not_https".
pub fn host_of(url: &str) -> Result<Host, Refusal> {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().filter(|u| u.scheme_str() == Some("https")).and_then(Uri::host);
    let host = host.filter(|h| url.len() <= 200 && !h.is_empty()).ok_or_else(|| {
        Refusal::new(
            "url.not_https",
            format!("{url} is not an address that a tablet may call."),
            "Give the server's address as tablets reach it, like https://10.0.4.7:7443.",
        )
    })?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Ok(bare.parse().map_or_else(|_| Host::Name(host.to_ascii_lowercase()), Host::Address))
}

/// Of the kernel's routes: an address of this machine stands on the line before its "/32 host LOCAL".
fn addresses_v4(fib_trie: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut before = None;
    for line in fib_trie.lines().map(str::trim) {
        match (line.strip_prefix("|-- "), before) {
            (Some(address), _) => before = address.parse().ok(),
            (None, Some(address)) if line == "/32 host LOCAL" && !found.contains(&address) => found.push(address),
            _ => {}
        }
    }
    found
}

/// An address is 32 hexadecimal digits at the start of its line. Those of one link only are left out: no URL holds them.
fn addresses_v6(if_inet6: &str) -> Vec<Ipv6Addr> {
    let digits = if_inet6.lines().filter_map(|line| line.split_whitespace().next()).filter(|d| d.len() == 32);
    let all = digits.filter_map(|d| u128::from_str_radix(d, 16).ok()).map(Ipv6Addr::from);
    all.filter(|a| !a.is_unicast_link_local()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_public_url_is_a_name_or_an_address() {
        let name = |n: &str| Host::Name(n.to_owned());
        for (url, expected) in [
            ("https://Lamplight.hospital.example", name("lamplight.hospital.example")),
            ("https://lamplight.hospital.example:7443/", name("lamplight.hospital.example")),
            ("https://10.0.4.7:7443", Host::Address([10, 0, 4, 7].into())),
            ("https://[fd00::7]:7443", Host::Address("fd00::7".parse().unwrap())),
        ] {
            assert_eq!(host_of(url).unwrap(), expected, "{url}");
        }
        for url in ["", "lamplight.example", "http://lamplight.example", "https://", "https://a b", "https:///x"] {
            assert_eq!(host_of(url).unwrap_err().code, "url.not_https", "{url}");
        }
    }

    #[test]
    fn where_it_listens_is_one_address_or_all_of_the_machine() {
        let one = IpAddr::from([10, 0, 4, 7]);
        assert_eq!(hosts(one, None).unwrap(), [Host::Address(one)]);
        let all = hosts(IpAddr::from([0, 0, 0, 0]), None).unwrap();
        assert!(all.contains(&Host::Address([127, 0, 0, 1].into())), "{all:?}");
        assert!(!all.contains(&Host::Address([0, 0, 0, 0].into())), "{all:?}");
    }

    #[test]
    fn the_machine_s_addresses_are_read_from_its_kernel() {
        let routes = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.0\n        /8 host LOCAL\n     |-- 192.0.2.0\n        \
            /24 link UNICAST\n     |-- 192.0.2.2\n        /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link \
            BROADCAST\nLocal:\n     |-- 192.0.2.2\n        /32 host LOCAL\n";
        assert_eq!(addresses_v4(routes), [Ipv4Addr::new(192, 0, 2, 2)]);
        let interfaces = "fd000000000000000000000000000002 04 40 00 82     eth0\n\
            fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n";
        assert_eq!(addresses_v6(interfaces), ["fd00::2".parse::<Ipv6Addr>().unwrap()]);
        assert!(addresses_v4("").is_empty() && addresses_v6("cut").is_empty());
    }
}
