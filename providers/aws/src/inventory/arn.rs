//! Amazon resource names, as far as an inventory needs them: whose is it, and what is it called.

/// The parts of a resource name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub(crate) partition: &'a str,
    /// `iam`, `lambda` …
    pub(crate) service: &'a str,
    /// Empty for global services.
    pub(crate) region: &'a str,
    /// Empty where the service leaves it out; `aws` for what the vendor owns.
    pub(crate) account: &'a str,
    /// All after the fifth colon.
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits a name; `None` for a text that is none.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") {
            return None;
        }
        Some(Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }

    /// The account, where it is an account number.
    pub(crate) fn account_number(&self) -> Option<&'a str> {
        Some(self.account).filter(|account| is_account(account))
    }
}

/// Whether a text is an account number: twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account that a path names in one of its components: the only run of twelve digits in it that touches no other
/// letter or digit. The innermost component that has one decides.
pub(crate) fn account_in_path(path: &str) -> Option<&str> {
    path.rsplit('/')
        .find_map(|component| component.split(|c: char| !c.is_ascii_alphanumeric()).find(|piece| is_account(piece)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_and_the_vendors_own_have_no_account_number() {
        let arn = Arn::parse("arn:aws:iam::111122223333:role/team/deploy").unwrap();
        assert_eq!((arn.account_number(), arn.resource), (Some("111122223333"), "role/team/deploy"));
        let arn = Arn::parse("arn:aws:iam::aws:policy/job-function/SupportUser").unwrap();
        assert_eq!((arn.account_number(), arn.resource), (None, "policy/job-function/SupportUser"));
        let arn = Arn::parse("arn:aws:lambda:eu-west-1:111122223333:function:f").unwrap();
        assert_eq!((arn.service, arn.region, arn.resource), ("lambda", "eu-west-1", "function:f"));
        assert_eq!(Arn::parse("*"), None);
    }

    #[test]
    fn a_path_names_an_account_by_twelve_digits_that_stand_alone() {
        assert_eq!(account_in_path("capture/111122223333/keys.json"), Some("111122223333"));
        assert_eq!(account_in_path("gaad-111122223333.json"), Some("111122223333"));
        assert_eq!(account_in_path("a/111122223333/b/444455556666/x.json"), Some("444455556666"));
        assert_eq!(account_in_path("a/x111122223333/1111222233334.json"), None);
    }
}
