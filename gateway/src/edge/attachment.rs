//! Files that are saved and never shown in the browser.

use http::{HeaderMap, HeaderValue, header};

/// Says what a file is, and that it is saved: it may hold anything, so a browser neither guesses its type nor runs it.
pub(crate) fn describe(headers: &mut HeaderMap, media_type: HeaderValue, disposition: HeaderValue) {
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
}

/// The names of devices in Windows, which saves no file under them.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
/// The devices that have a number.
const PORTS: [&str; 2] = ["com", "lpt"];

/// Whether Windows takes a name for a device: it ignores case, what follows the first point, and spaces before that.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim().to_lowercase();
    let is_number = |rest: &str| {
        let mut letters = rest.chars();
        let first = letters.next().is_some_and(|it| it.is_ascii_digit() || matches!(it, '¹' | '²' | '³'));
        first && letters.next().is_none()
    };
    DEVICES.contains(&stem.as_str()) || PORTS.iter().any(|port| stem.strip_prefix(port).is_some_and(is_number))
}

/// `Content-Disposition` (RFC 6266): the name in full, encoded (RFC 8187), and for old programs as far as it is ASCII. The name of a device
/// gets an underscore.
pub(crate) fn disposition(name: &str) -> String {
    let safe = if is_device(name) { format!("_{name}") } else { name.to_owned() };
    let name = safe.as_str();
    let plain: String =
        name.chars().map(|letter| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '_' }).collect();
    // A file name has neither quotes nor backslashes; a percent sign would look like an encoding.
    let plain = plain.replace(['"', '\\', '%'], "_");
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_for_new_programs_and_for_old_ones() {
        assert_eq!(disposition("app 2.zip"), "attachment; filename=\"app 2.zip\"; filename*=UTF-8''app%202.zip");
        assert_eq!(
            disposition("50% – Übung.pdf"),
            "attachment; filename=\"50_ _ _bung.pdf\"; filename*=UTF-8''50%25%20%E2%80%93%20%C3%9Cbung.pdf"
        );
    }

    #[test]
    fn a_file_is_not_saved_under_the_name_of_a_device() {
        for name in
            ["con", "NUL.txt", "Aux.tar.gz", "prn .pdf", "com1", "LPT9.zip", "com¹.bin", "conin$", "CONOUT$.log"]
        {
            assert!(is_device(name), "{name}");
        }
        for name in ["console.txt", "null", "com", "com10", "lpt.zip", "a.con", "my con.txt", "communal 1.pdf", ""] {
            assert!(!is_device(name), "{name}");
        }
        assert_eq!(disposition("nul.zip"), "attachment; filename=\"_nul.zip\"; filename*=UTF-8''_nul.zip");
        assert_eq!(disposition("console.zip"), "attachment; filename=\"console.zip\"; filename*=UTF-8''console.zip");
    }
}
