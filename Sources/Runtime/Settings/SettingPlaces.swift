import Control
import System

/// Where settings are said, beside the command line: in the environment, in the files of settings,
/// and at the last start. What is named first goes before what is named next.
package enum SettingPlaces {
  /// Completes what was typed, or stands in fstab, by what the other places say. Throws: an ending
  /// with code 64 for what cannot be, 73 where the state folder cannot be used.
  package static func complete(_ invocation: inout Invocation) throws(Ending) {
    // A program that mount(8) starts has the environment of whoever mounts, by chance.
    if !invocation.isByMount {
      let said = try EnvironmentSettings.read()
      invocation.complete(with: [SettingLayer(.environment, "the environment", said)])
    }
    var common: [SettingLayer] = []
    for path in ConfigurationFile.paths(stateFolder: nil) { common.append(try file(path)) }
    var trial = invocation
    trial.complete(with: common)
    let folder = try stateFolder(trial)
    let own = try file(ConfigurationFile.paths(stateFolder: folder)[0])
    if own.settings.contains(where: { $0.name == "state" }) {
      throw Ending(.usage, "\(own.place): 'state' is what says where this file lies")
    }
    invocation.complete(with: [own] + common)
    if invocation.isByMount || invocation.hasTyped("fresh") { return }
    let place = "the last start, as \(folder) has kept it; --fresh forgets it"
    invocation.complete(with: [SettingLayer(.kept, place, try KeptOptions.read(in: folder))])
  }

  /// Whether what was typed is kept: not so where it stands in fstab or in a unit, which say it
  /// again at every start.
  package static func keeps(_ invocation: Invocation) -> Bool {
    !invocation.isByMount && Environment.get("NOTIFY_SOCKET") == nil
  }

  /// The state folder that is meant, absolute.
  package static func stateFolder(_ invocation: Invocation) throws(Ending) -> String {
    if let state = invocation.value(of: "state") { return File.absolute(state) }
    guard invocation.isByMount, let mountpoint = invocation.mountpoint else { return XDG.state }
    return try MountpointState.folder(for: File.absolute(mountpoint))
  }

  private static func file(_ path: String) throws(Ending) -> SettingLayer {
    SettingLayer(.configuration, path, try ConfigurationFile(path: path).settings)
  }
}
