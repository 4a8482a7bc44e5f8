import { isPackageFrame, type SpokenOf } from './source-links.tsx'
import { TerminalText } from './terminal-text.tsx'

/** The stack of an error: places in the customer's code are links, and lines in the code of packages stand back. */
export function StackText({ stack, code }: { stack: string; code: SpokenOf }) {
  return (
    <>
      {groupsOf(stack).map(({ text, ofPackage }) =>
        ofPackage ? <span class="soft">{text}</span> : <TerminalText text={text} code={code} />,
      )}
    </>
  )
}

/** Lines that follow each other stay together, because a colour may go on from one to the next. */
function groupsOf(stack: string): { text: string; ofPackage: boolean }[] {
  const groups: { text: string; ofPackage: boolean }[] = []
  for (const line of stack.split(/(?<=\n)/)) {
    const ofPackage = isPackageFrame(line.trimEnd())
    const last = groups.at(-1)
    if (last?.ofPackage === ofPackage) last.text += line
    else groups.push({ text: line, ofPackage })
  }
  return groups
}
