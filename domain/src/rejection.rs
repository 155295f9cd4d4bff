//! The rejections of a context as one table: the rule, its kind, the field at fault, and the text.

/// Defines the enum of a context's rejections from a table with a row for each rejection.
///
/// A row has the variant with its fields, its [`Kind`](crate::Kind), the field of the request at fault, as a JSON pointer
/// behind `at`, if there is one, and the text for people, which is also the documentation of the variant. The code for programs
/// is the variant in snake case, or else what stands behind `as`. Pointers and texts can name the fields; what a text has to
/// compute follows it, and a pointer that is computed, an `Option<String>`, stands in parentheses.
///
/// ```
/// use byteshop_domain::{Kind, Rejection as _};
///
/// byteshop_domain::rejections! {
///     /// Why a lamp refuses a command.
///     #[derive(Debug, Clone, PartialEq)]
///     pub enum Rejection {
///         Missing => Missing: "there is no such lamp";
///         TooBright { lamp: usize, most: u32 } => Invalid at "/lamps/{lamp}/lumens": "a lamp has at most {most} lumens";
///         Broken as "burnt_out" => Conflict: "the lamp is broken";
///         OtherBulbs { fitting: Vec<u8> } => Conflict: "{number} other bulbs fit the lamp", number = fitting.len();
///     }
/// }
///
/// let too_bright = Rejection::TooBright { lamp: 2, most: 800 };
/// assert_eq!((too_bright.code(), too_bright.kind()), ("too_bright", Kind::Invalid));
/// assert_eq!(too_bright.pointer().as_deref(), Some("/lamps/2/lumens"));
/// assert_eq!(too_bright.to_string(), "a lamp has at most 800 lumens");
/// assert_eq!((Rejection::Broken.code(), Rejection::Missing.pointer()), ("burnt_out", None));
/// assert_eq!(Rejection::OtherBulbs { fitting: vec![14, 27] }.to_string(), "2 other bulbs fit the lamp");
/// assert_eq!(Rejection::CODES, ["missing", "too_bright", "burnt_out", "other_bulbs"]);
/// ```
#[macro_export]
macro_rules! rejections {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $(
                $(#[$more:meta])*
                $variant:ident $({ $($field:ident: $type:ty),+ $(,)? })? $(as $code:literal)?
                    => $kind:ident $(at $pointer:tt)?: $text:literal $(, $argument:ident = $value:expr)*;
            )+
        }
    ) => {
        $(#[$about])*
        #[allow(missing_docs, reason = "the texts say what the fields are")]
        pub enum $name {
            $(
                #[doc = $text]
                #[doc = ""]
                $(#[$more])*
                $variant $({ $($field: $type),+ })?,
            )+
        }

        impl ::std::fmt::Display for $name {
            #[allow(unused_variables, reason = "a text names the fields that it needs")]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$variant $({ $($field),+ })? => ::std::write!(f, $text $(, $argument = $value)*),)+
                }
            }
        }

        impl ::std::error::Error for $name {}

        impl $crate::Rejection for $name {
            const CODES: &'static [&'static str] = &[$($crate::rejections!(@code $variant $($code)?)),+];

            fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $crate::rejections!(@code $variant $($code)?),)+
                }
            }

            fn kind(&self) -> $crate::Kind {
                match self {
                    $(Self::$variant { .. } => $crate::Kind::$kind,)+
                }
            }

            #[allow(unused_variables, reason = "a pointer names the fields that it needs")]
            fn pointer(&self) -> ::std::option::Option<::std::string::String> {
                match self {
                    $(Self::$variant $({ $($field),+ })? => $crate::rejections!(@pointer $($pointer)?),)+
                }
            }
        }
    };
    (@code $variant:ident) => {{
        const NAME: &str = ::std::stringify!($variant);
        const SNAKE: [u8; $crate::rejection::snake_length(NAME)] = $crate::rejection::snake(NAME);
        const CODE: &str = $crate::rejection::text(&SNAKE);
        CODE
    }};
    (@code $variant:ident $code:literal) => { $code };
    (@pointer) => { ::std::option::Option::None };
    (@pointer ($pointer:expr)) => { $pointer };
    (@pointer $pointer:literal) => { ::std::option::Option::Some(::std::format_args!($pointer).to_string()) };
}

/// The length of a variant's name in snake case.
#[doc(hidden)]
pub const fn snake_length(name: &str) -> usize {
    let bytes = name.as_bytes();
    let (mut at, mut length) = (0, 0);
    while at < bytes.len() {
        length += if begins_word(bytes, at) { 2 } else { 1 };
        at += 1;
    }
    length
}

/// A variant's name in snake case; `LENGTH` is its [`snake_length`].
#[doc(hidden)]
pub const fn snake<const LENGTH: usize>(name: &str) -> [u8; LENGTH] {
    let bytes = name.as_bytes();
    let mut snake = [b'_'; LENGTH];
    let (mut from, mut to) = (0, 0);
    while from < bytes.len() {
        if begins_word(bytes, from) {
            to += 1;
        }
        snake[to] = bytes[from].to_ascii_lowercase();
        from += 1;
        to += 1;
    }
    snake
}

/// The bytes of [`snake`] as a text.
#[doc(hidden)]
pub const fn text(snake: &[u8]) -> &str {
    match std::str::from_utf8(snake) {
        Ok(text) => text,
        Err(_) => panic!("a variant has letters of ASCII alone"),
    }
}

/// Whether another word begins here, so that an underscore comes before it.
const fn begins_word(name: &[u8], at: usize) -> bool {
    at > 0 && name[at].is_ascii_uppercase()
}
