//! What the documentation shows is what the program prints: every `console` block of the guides, the READMEs and the
//! contributing page is run from the root of the repository. A fence without a language counts as one too; blocks inside
//! lists are not seen. `TRYCMD=overwrite` rewrites the blocks; put the `...` back where a long output is cut.

#[test]
fn every_command_in_the_documentation_prints_what_it_shows() {
    let home = tempfile::tempdir().unwrap();
    trycmd::TestCases::new()
        .case("README.md")
        .case("CONTRIBUTING.md")
        .case("docs/README.md")
        .case("docs/guides/*.md")
        // Nothing of the machine may reach the output: no home and no colour.
        .env("HOME", home.path().display().to_string())
        .env("USERPROFILE", home.path().display().to_string())
        .env("EVENHAND_HOME", home.path().display().to_string())
        .env("NO_COLOR", "1");
}
