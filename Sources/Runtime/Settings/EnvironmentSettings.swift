import System

/// Settings in the environment: `FSHAREFS_CACHE=/var/cache/share` is `--cache /var/cache/share`.
package enum EnvironmentSettings {
  /// What is for other programs, or about one start alone, under a name that looks like ours.
  private static let notHere: Set<String> = ["claim-file", "foreground", "fresh"]

  /// What the environment says. `get`: the value of a variable; nil where there is none. Throws: an
  /// ending with code 64 for an option without a value that is neither on nor off.
  package static func read(
    _ get: (String) -> String? = Environment.get
  ) throws(Ending) -> [SaidSetting] {
    var said: [SaidSetting] = []
    for option in MountOption.all {
      switch option.meaning {
      case .commandLine, .setting: break
      case .kernel, .cancels, .fixed, .fstab, .preparation: continue
      }
      let variable = variable(of: option.name)
      guard !notHere.contains(option.name), let value = get(variable) else { continue }
      if case .required = option.value {
        said.append(SaidSetting(option.name, value))
        continue
      }
      switch value.lowercased() {
      case "1", "yes", "true", "on": said.append(SaidSetting(option.name))
      case "0", "no", "false", "off": said.append(SaidSetting(option.name, isOff: true))
      default: throw Ending(.usage, "\(variable)=\(value): yes or no")
      }
    }
    return said
  }

  /// The variable that says an option.
  package static func variable(of name: String) -> String {
    "FSHAREFS_" + name.replacing("-", with: "_").uppercased()
  }
}
