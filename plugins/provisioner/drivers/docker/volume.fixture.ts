import { prepareVolume } from './volume.ts'

// Everything is loaded by now: the user of the image may not be able to read this repository.
process.setgroups?.([])
process.setgid?.(10001)
process.setuid?.(10001)
const [, , volume = ''] = process.argv
try {
  await prepareVolume(volume, { uid: 10001, gid: 10001 })
  process.send?.(null)
} catch (error) {
  process.send?.((error as Error).message)
}
process.disconnect?.()
