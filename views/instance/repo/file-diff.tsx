import type { Child } from 'hono/jsx'
import type { FileChange } from '../../../runtime/repo/contract.ts'
import { Mark, type Shape, type Tone } from '../../components/mark.tsx'

const looks: Record<FileChange['kind'], { tone: Tone; shape: Shape; word: string }> = {
  added: { tone: 'ok', shape: 'check', word: 'New' },
  changed: { tone: 'warn', shape: 'triangle', word: 'Changed' },
  removed: { tone: 'bad', shape: 'cross', word: 'Deleted' },
}

/** The lines that changed in a file. `href` leads to the file, unless it was removed; `children` follow its name. */
export function FileDiff({ file, href, children }: { file: FileChange; href: string; children?: Child }) {
  const { tone, shape, word } = looks[file.kind]
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>
          {file.kind === 'removed' ? (
            <code>{file.path}</code>
          ) : (
            <a href={href}>
              <code>{file.path}</code>
            </a>
          )}
        </h2>
        <span class={`tone-${tone} mark-line fine`}>
          <Mark shape={shape} /> {word}
        </span>
        {children}
      </div>
      {file.note ? <p class="panel-body soft">{file.note}</p> : null}
      {file.hunks.length > 0 ? (
        <section class="diff" tabindex={0} aria-label={`What changed in ${file.path}`}>
          {file.hunks.map(hunk => (
            <Lines hunk={hunk} />
          ))}
        </section>
      ) : null}
    </section>
  )
}

function Lines({ hunk }: { hunk: FileChange['hunks'][number] }) {
  let before = hunk.before
  let after = hunk.after
  return (
    <ol>
      {hunk.lines.map(line => {
        const mark = line[0]
        const numbers = [mark === '+' ? '' : before++, mark === '-' ? '' : after++]
        return (
          <li class={mark === '+' ? 'plus' : mark === '-' ? 'minus' : undefined}>
            <span class="line">{numbers[0]}</span>
            <span class="line">{numbers[1]}</span>
            <span class="sign">{mark}</span>
            <code>{line.slice(1)}</code>
          </li>
        )
      })}
    </ol>
  )
}
