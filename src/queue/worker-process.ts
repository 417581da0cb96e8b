/**
 * How Node is started to be the worker: by `make start`, benches and tests, and by deploy/systemd/horux-worker.service, which
 * says the same (a test compares). With it the import of a package of 200,000 CFDI takes less than 300 MiB, all of the process.
 *
 * An import makes little that lives and much garbage. V8 lets the old heap grow to several times what was alive in it before it
 * looks again, and buffers, which lie outside, wait for that look too: 440 MiB where 45 of heap are alive. Here it looks when
 * the heap has grown by 40 %, and new objects have 32 MiB and not 128. Half of that saves 20 MiB more and costs a twentieth of
 * Node's time: then too little of a batch dies young. Twice that costs 30 MiB and saves nothing that could be measured.
 *
 * No `--max-old-space-size`: these say only when to look, and a job that needs more, an export or a large PDF, gets it.
 */
export const WORKER_PROCESS = {
  nodeFlags: ['--max-semi-space-size=16', '--heap-growing-percent=40'],
  /** glibc keeps what is freed per arena, of which it would make eight for each core: 10 MiB, idle too. */
  env: { MALLOC_ARENA_MAX: '2' },
} as const
