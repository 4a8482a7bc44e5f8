import type { Child } from 'hono/jsx'

export interface Column<Row> {
  label: string
  cell(row: Row): Child
  /**
   * `lead` names the row and becomes its heading on a phone; `number` aligns right; `minor` is hidden on a phone;
   * `end` contains the actions.
   */
  kind?: 'lead' | 'number' | 'minor' | 'end'
}

export interface TableProps<Row> {
  /** What the table lists, for screen readers. */
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** An id for each row, by which live updates find it. */
  rowId(row: Row): string
}

const classes = { lead: 'lead-cell', number: 'number', minor: 'minor', end: 'end' } as const

/** Rows and columns on a wide screen, one card per row on a phone. */
export function Table<Row>({ caption, columns, rows, rowId }: TableProps<Row>) {
  return (
    <table class="rows">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(column => (
            <th scope="col" class={column.kind === 'number' ? 'number' : undefined}>
              {column.kind === 'end' ? <span class="unseen">{column.label}</span> : column.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(row => (
          <tr id={rowId(row)}>
            {columns.map(column => (
              <td class={column.kind && classes[column.kind]} data-label={column.label}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** The position in a long list, with links to the neighbouring pages. `href` returns the address of an offset. */
export function Pages(props: {
  total: number
  limit: number
  offset: number
  href(offset: number): string
  /** The labels of the links towards the beginning and the end. */
  ways?: readonly [string, string]
}) {
  const { total, limit, offset, href, ways = ['Newer', 'Older'] } = props
  if (total <= limit && offset === 0) return null
  const last = Math.min(offset + limit, total)
  return (
    <nav class="panel-body actions" aria-label="Pages">
      {offset > 0 ? (
        <a class="button" href={href(Math.max(0, offset - limit))}>
          {ways[0]}
        </a>
      ) : null}
      {last < total ? (
        <a class="button" href={href(offset + limit)}>
          {ways[1]}
        </a>
      ) : null}
      <span class="fine">
        {Math.min(offset + 1, total)}–{last} of {total}
      </span>
    </nav>
  )
}
