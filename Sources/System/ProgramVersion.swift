/// The version of the programs; CHANGELOG.md has what it means.
package enum ProgramVersion {
  package static let text = "0.2.0"
}
