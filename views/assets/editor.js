// The editor of a jobs repo's file: the text area stays the form's field, and is what is sent.
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { javascript } from '@codemirror/lang-javascript'
import { json } from '@codemirror/lang-json'
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { EditorState } from '@codemirror/state'
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view'
import { tags } from '@lezer/highlight'

const colours = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--ink-soft)', fontStyle: 'italic' },
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--busy)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--ok)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--warn)' },
  {
    tag: [tags.typeName, tags.className, tags.definition(tags.function(tags.variableName))],
    color: 'var(--accent)',
  },
  { tag: tags.invalid, color: 'var(--bad)' },
])

const theme = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'var(--surface)', fontSize: '0.8125rem' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', maxHeight: '70vh' },
  '.cm-content, .cm-gutter': { minHeight: '20rem' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': {
    color: 'var(--ink-soft)',
    backgroundColor: 'var(--sunken)',
    borderRightColor: 'var(--line)',
  },
  '.cm-activeLine, .cm-activeLineGutter': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 7%, transparent)',
  },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--focus) 28%, transparent)',
  },
  '.cm-panels': { color: 'var(--ink)', backgroundColor: 'var(--sunken)' },
  '.cm-textfield': {
    color: 'var(--ink)',
    backgroundColor: 'var(--surface)',
    borderColor: 'var(--line-strong)',
  },
  '.cm-button': { color: 'var(--ink)', backgroundImage: 'none', borderColor: 'var(--line-strong)' },
})

const area = document.querySelector('textarea.source')
if (area) openEditor(area)

function openEditor(area) {
  const { form } = area
  const { path, line, column } = area.dataset
  const message = form.elements.message
  /** Null while the text that the page brought lies nowhere else. */
  const saved = area.dataset.unsaved ? null : area.value
  const left = takeDraft(area, message)
  let leaving = false

  // A shadow root takes its styles as constructed sheets, which the Content-Security-Policy allows.
  const host = document.createElement('div')
  host.className = 'editor'
  area.before(host)
  const root = host.attachShadow({ mode: 'open' })
  const frame = document.createElement('div')
  root.append(frame)

  const view = new EditorView({
    root,
    parent: frame,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightSelectionMatches(),
        syntaxHighlighting(colours),
        theme,
        languageOf(path),
        EditorState.tabSize.of(2),
        EditorView.contentAttributes.of({ 'aria-label': `Content of ${path}` }),
        EditorView.updateListener.of(update => {
          if (update.docChanged) area.value = update.state.doc.toString()
        }),
        keymap.of([
          { key: 'Mod-Enter', run: () => submit('check') },
          // Tab leaves the editor after Escape, as those who use the keyboard alone need it.
          ...searchKeymap,
          ...historyKeymap,
          ...defaultKeymap,
          indentWithTab,
        ]),
      ],
    }),
  })
  area.hidden = true
  if (line) goTo(view, Number(line), Number(column ?? 1))
  else if (left) goBack(view, left)

  function submit(action) {
    form.requestSubmit(form.querySelector(`button[value="${action}"]`))
    return true
  }
  // Wherever on the page the focus is.
  addEventListener('keydown', event => {
    if (event.key !== 's' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
    event.preventDefault()
    submit('save')
  })
  form.addEventListener('submit', () => {
    leaving = true
    keepDraft(area, message, view)
  })
  addEventListener('pageshow', () => {
    leaving = false
  })
  addEventListener('beforeunload', event => {
    if (!leaving && area.value !== saved) event.preventDefault()
  })
}

/** What was sent, and where its writer was: the answer may be a sign-in page, or nothing at all. */
function keepDraft(area, message, view) {
  const { anchor, head } = view.state.selection.main
  const { path, hash } = area.dataset
  const draft = {
    hash,
    anchor,
    head,
    top: view.scrollDOM.scrollTop,
    content: area.value,
    message: message.value,
  }
  try {
    sessionStorage.setItem(`editor:${path}`, JSON.stringify(draft))
  } catch {
    // The browser keeps nothing, or has no room.
  }
}

/** What this tab sent last. Text that got no answer is restored if the file has not changed since. */
function takeDraft(area, message) {
  const { path, hash, answers } = area.dataset
  let draft = null
  try {
    draft = JSON.parse(sessionStorage.getItem(`editor:${path}`))
    sessionStorage.removeItem(`editor:${path}`)
  } catch {
    return null
  }
  if (!draft || answers) return draft
  if (draft.hash !== hash) return null
  area.value = draft.content
  message.value = draft.message
  return draft
}

/** To where the writer was, so that the keys work on; the page stays at what it has to say. */
function goBack(view, { anchor, head, top }) {
  const most = view.state.doc.length
  view.dispatch({ selection: { anchor: Math.min(anchor, most), head: Math.min(head, most) } })
  view.focus()
  view.requestMeasure({
    read: () => {},
    write: () => {
      view.scrollDOM.scrollTop = top
    },
  })
}

function goTo(view, number, column) {
  const line = view.state.doc.line(Math.min(Math.max(1, number), view.state.doc.lines))
  const anchor = Math.min(line.from + Math.max(0, column - 1), line.to)
  view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) })
  view.focus()
}

function languageOf(path) {
  if (/\.json$/.test(path)) return json()
  const script = /\.[cm]?([jt])s(x?)$/.exec(path)
  return script ? javascript({ typescript: script[1] === 't', jsx: script[2] === 'x' }) : []
}
