import { spawn, spawnSync } from 'node:child_process'
import { existsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '../src/testing/folder.ts'

const root = join(import.meta.dirname, '..')
const kernels = join(process.env.LONGHOUSE_CACHE ?? '/var/cache/longhouse', 'guest')
const machine = 'qemu-system-x86_64'

/** Why no virtual machine can be started here, or false. With LONGHOUSE_DEMAND_ALL nothing is skipped. */
export const noGuest: string | false = lack()

function lack(): string | false {
  if (process.arch !== 'x64') return 'the virtual machine of this test is one with x86-64'
  if (process.env.LONGHOUSE_DEMAND_ALL === '1') return false
  if (spawnSync(machine, ['--version']).error)
    return `needs ${machine}: apt-get install qemu-system-x86, then scripts/guest-kernel.sh`
  return existsSync(join(kernels, 'kernel')) ? false : 'needs a kernel: run scripts/guest-kernel.sh'
}

/**
 * Runs a script of bash as root in a virtual machine with a kernel of Debian, and returns what it wrote and how it ended. It has all
 * files of this machine, to read only; `/run` is its own; and an empty disk for each size in MiB, /dev/vda first. Its processor is emulated,
 * because not every machine that runs tests has another one to give: programs take some ten times as long. LONGHOUSE_TEST_SHOW=1 shows at once
 * what it writes.
 */
export async function runInGuest(
  t: TestContext,
  { script, disks }: { script: string; disks: readonly number[] },
): Promise<{ code: number; text: string }> {
  const folder = temporaryFolder(t)
  const guest = join(folder, 'guest.sh')
  writeFileSync(guest, script)
  const drives = disks.flatMap((mebibytes, index) => {
    const file = join(folder, `disk-${index}`)
    writeFileSync(file, '')
    truncateSync(file, mebibytes * 1024 ** 2)
    return ['-drive', `file=${file},format=raw,cache=unsafe,if=virtio`]
  })
  const child = spawn(
    machine,
    [
      ...['-accel', 'tcg', '-cpu', 'Nehalem', '-m', '1200', '-nodefaults', '-no-user-config', '-no-reboot'],
      // A nanosecond an instruction: its clock goes by the work that it did, so that nothing is late on a busy machine.
      ...['-icount', 'shift=0', '-rtc', 'clock=vm'],
      ...['-display', 'none', '-serial', 'stdio'],
      ...['-kernel', join(kernels, 'kernel'), '-initrd', join(kernels, 'initramfs')],
      ...['-append', `console=ttyS0 quiet panic=-1 mitigations=off guest=${guest}`],
      ...['-fsdev', 'local,id=host,path=/,security_model=none,readonly=on,multidevs=remap'],
      ...['-device', 'virtio-9p-pci,fsdev=host,mount_tag=host', ...drives],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: root },
  )
  t.after(() => child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', piece => {
      text += piece
      if (process.env.LONGHOUSE_TEST_SHOW) process.stderr.write(piece)
    })
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  return { code: Number(/guest: ended with (\d+)/.exec(text)?.[1] ?? -1), text: text.replaceAll('\r', '') }
}
