//! Why a category refuses a command, and its limits.

/// The maximum depth of a category: real catalogs have six levels, and every product page walks up to the root.
pub const DEPTH_MAX: usize = 10;
/// The maximum number of categories that are moved or archived together with one above them: one append of at most twice as
/// many events.
pub const BRANCH_MAX: usize = 500;
/// The maximum number of attributes that one category declares: as many as a product has at most.
pub const DEFINITIONS_MAX: usize = 50;
/// The maximum number of values of a choice: as many as a person can look through.
pub const VALUES_MAX: usize = 200;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "there is no such category";
        Exists => Conflict: "the category already exists";
        Archived => Conflict: "the category is archived";
        HasChildren { children: usize } => Conflict:
            "{children} open {are} under it: move or archive them first, or say what becomes of them with \
             ?children=move_up or ?children=archive",
            are = if *children == 1 { "category is" } else { "categories are" };
        BranchTooLarge => Conflict:
            "more than {BRANCH_MAX} categories are below it: archive those below it one after another";
        Cycle => Invalid at "/parent": "a category cannot be its own descendant";
        TooDeep => Invalid at "/parent": "categories can be nested at most {DEPTH_MAX} levels deep";
        TooManyAttributes => Invalid at "/attributes": "a category can declare at most {DEFINITIONS_MAX} attributes";
        AttributeTwice { at: usize } => Invalid at "/attributes/{at}/name": "the attribute is declared twice";
        AttributeValues { at: usize } => Invalid at "/attributes/{at}/values":
            "a choice needs 1 to {VALUES_MAX} different values; other types have none";
    }
}
