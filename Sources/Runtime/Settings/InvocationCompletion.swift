package import Control
import System

/// What was typed, completed by what other places say.
extension Invocation {
  /// What the command line or fstab says of an option, or what is said elsewhere; nil where nobody
  /// says anything. Of a name that is said twice the last counts.
  package func value(of name: String) -> String? {
    typed.last { $0.name == name }?.value
      ?? inForce.last { $0.setting.name == name && !$0.setting.isOff }?.setting.value
  }

  /// Whether an option that takes no value was typed.
  package func hasTyped(_ name: String) -> Bool { typed.contains { $0.name == name } }

  /// Adds what other places say, those that go before others first; what was typed goes before all
  /// of them. Of options of which only one can be, the one that is said first is left.
  package mutating func complete(with layers: [SettingLayer]) {
    var decided = Set((typed + inForce.map(\.setting)).flatMap { Self.decides($0.name) })
    // Who names a hub wants no hub of his own.
    if namesHub { decided.insert("host") }
    for layer in layers {
      if layer.source == .kept { keptBefore = layer.settings }
      let new = layer.settings.filter { !decided.contains($0.name) }
      inForce += new.map { ($0, layer) }
      decided.formUnion(new.flatMap { Self.decides($0.name) })
      for setting in new where !setting.isOff { place(setting) }
    }
  }

  /// Puts a setting before what was typed.
  private mutating func place(_ setting: SaidSetting) {
    guard let known = MountOption.named(setting.name) else { return }
    switch known.meaning {
    case .kernel: kernelFlags.append(setting.option)
    case .commandLine, .setting: words = setting.typed + words
    case .cancels, .fixed, .fstab, .preparation: break
    }
  }

  /// Of which options one alone can be.
  private static let rivals: [Set<String>] = [
    ["host", "master"], ["allow_other", "allow_root"],
  ]

  /// The names of which nothing more is heard once an option is said.
  private static func decides(_ name: String) -> Set<String> {
    var names: Set = [name]
    for group in rivals where group.contains(name) { names.formUnion(group) }
    for option in MountOption.all {
      guard case .cancels(let other) = option.meaning else { continue }
      if option.name == name { names.insert(other) }
      if other == name { names.insert(option.name) }
    }
    return names
  }

  /// Where each setting comes from that is not as it is by default.
  package var sources: [String: StatusReport.Setting.Source] {
    var sources: [String: StatusReport.Setting.Source] = [:]
    for (setting, layer) in inForce { sources[setting.name] = layer.source }
    for setting in typed { sources[setting.name] = .option }
    return sources
  }

  /// What is kept for the next start: what was typed now, and what was kept before and was not
  /// typed otherwise; what other places say may be gone the next time. `absolute`: a path as it is
  /// known from everywhere.
  package func kept(_ absolute: (String) -> String) -> [SaidSetting] {
    var decided = Set(typed.flatMap { Self.decides($0.name) })
    if namesHub { decided.insert("host") }
    var kept = keptBefore.filter { !decided.contains($0.name) }
    for setting in typed where KeptOptions.isKept(setting.name) {
      kept.removeAll { $0.name == setting.name }
      guard let value = setting.value, MountOption.named(setting.name)?.isFolder == true else {
        kept.append(setting)
        continue
      }
      kept.append(SaidSetting(setting.name, absolute(value)))
    }
    // `-o rw` is kept by not keeping `ro`.
    return kept.filter { !($0.value == nil && isTakenBack($0.name)) }
  }

  private func isTakenBack(_ name: String) -> Bool {
    guard MountOption.named(name)?.meaning == .kernel else { return false }
    return !kernelFlags.contains(name)
  }

  /// What is taken from the last start, as one types it; nil where nothing is.
  package var takenFromLastStart: String? {
    let taken = inForce.filter { $0.layer.source == .kept && !$0.setting.isOff }
    if taken.isEmpty { return nil }
    return taken.flatMap(\.setting.typed).map(ShellWord.quoted).joined(separator: " ")
  }

  /// Where a complaint about a setting has its reason, if not on the command line: who reads it has
  /// not typed what it is about.
  package func origin(ofComplaint text: String) -> String? {
    let blamed = inForce.first { one in
      !one.setting.isOff && text.contains("\(one.setting.name)")
    }
    return blamed.map { $0.layer.place }
  }
}
