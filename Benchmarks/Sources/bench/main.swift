import Glibc

// Measures beside each other, in one run: absolute numbers of a shared machine mean nothing, ratios
// do.
do {
  Interruption.watch()
  let options = try Options(CommandLine.arguments)
  let scratch = try Scratch()
  defer { scratch.cleanUp() }
  let report = try Bench(options, scratch).run()
  say(report.table)
  try report.json.write(to: options.output)
  say("written: \(options.output)")
} catch {
  complain("bench: \(error)")
  exit(1)
}
