import CFuzzer
import Glibc

/// Runs libFuzzer, with the options on the command line, over `one`.
package func fuzz(_ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32) -> Never {
  var count = CommandLine.argc
  // SAFETY: the arguments live as long as the process.
  var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
  exit(LLVMFuzzerRunDriver(&count, &arguments, one))
}

/// The bytes that libFuzzer made up.
package func input(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
  // SAFETY: libFuzzer passes `count` readable bytes for the time of the call; they are copied.
  Array(UnsafeBufferPointer(start: start, count: count))
}
