/**
 * How Node is started to be the worker: by `make start`, benches and tests, and by deploy/systemd/horux-worker.service, which
 * says the same (a test compares). With it a package of 200,000 CFDI takes 300 MiB of memory at most, all of the process.
 *
 * An import makes little that lives and much garbage. V8 lets the old heap grow to several times what was alive in it before it
 * looks again, and buffers, which lie outside, wait for that look too: 370 MiB where 45 are alive. Here it looks when the heap
 * has grown by 60 %; and what is new has 32 MiB and not 128, which one process that does everything in turn fills in any case.
 *
 * No `--max-old-space-size`: these only say when to look, and a job that needs more, an export or a large PDF, gets it. Lower
 * ones (4 MiB and 30 %) save 50 MiB more, and take a third more of the processor.
 */
export const WORKER_PROCESS = {
  nodeFlags: ['--max-semi-space-size=32', '--heap-growing-percent=40'],
  /** glibc keeps what is freed per arena, of which it would make eight for each core. */
  env: { MALLOC_ARENA_MAX: '2' },
} as const
