package import Control
import System

/// A setting as somebody has said it: on the command line, in the environment, in a file, or at an
/// earlier start.
package struct SaidSetting: Sendable, Equatable {
  /// The name that `MountOption` has.
  package let name: String
  /// What it is to be; nil for one that is only on or off.
  package let value: String?
  /// Whether one that takes no value is said not to be. Nothing that comes after it turns it on.
  package var isOff = false

  package init(_ name: String, _ value: String? = nil, isOff: Bool = false) {
    self.name = name
    self.value = value
    self.isOff = isOff
  }

  /// How it stands behind `-o`.
  var option: String { value.map { "\(name)=\($0)" } ?? name }

  /// How a person types it on the command line.
  var typed: [String] {
    if MountOption.named(name)?.meaning == .commandLine {
      return ["--" + option]
    }
    return ["-o", OptionWords.joined([option])]
  }
}

/// What one place says.
package struct SettingLayer: Sendable {
  /// What kind of place it is, as `status` says it.
  package let source: StatusReport.Setting.Source
  /// Its name, for people: a file, say.
  package let place: String
  package let settings: [SaidSetting]

  package init(_ source: StatusReport.Setting.Source, _ place: String, _ settings: [SaidSetting]) {
    self.source = source
    self.place = place
    self.settings = settings
  }
}
