import CLinux

/// The C library's allocator, told what this program is like: many buffers of one leaf each come
/// and go.
///
/// Its defaults give each of them back to the kernel and take it again, a page fault every 4 KiB.
package enum Allocator {
  /// Keeps freed memory for the next buffer. Call first of all.
  package static func keepFreedMemory() { clinux_keep_freed_memory() }

  /// Gives freed memory back to the kernel: for a program that has become idle. Costs milliseconds.
  package static func giveBack() { clinux_give_back_memory() }
}
