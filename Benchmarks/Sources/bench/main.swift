import Glibc

// Measures beside each other, in one run: absolute numbers of a shared machine mean nothing, ratios
// do. What happens goes to stderr, the table to stdout.
do {
  Interruption.watch()
  let options = try Options(CommandLine.arguments)
  let report = try Bench(options: options).run()
  try report.json.write(to: options.output)
  say(report.table)
  complain("written: \(options.output)")
  exit(report.isComplete ? 0 : 1)
} catch {
  complain("bench: \(error)")
  exit(1)
}
