import { volumeProcesses } from './process-tree.ts'

const mostLooks = 20

/** Kills every process that works for a runtime on the volume, except this one. Returns how many it killed. */
export function killVolumeProcesses(volumeDir: string): number {
  const killed = new Set<number>()
  // A killed process may have started another one just before.
  for (let look = 0; look < mostLooks; look++) {
    const processes = volumeProcesses(volumeDir)
    if (processes.length === 0) break
    for (const pid of processes) {
      killed.add(pid)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
  }
  return killed.size
}
