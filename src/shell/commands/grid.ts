/**
 * Columns and colours of everything that people read: no frames, so that the lines can be cut and grepped, and colour
 * only on a terminal that wants it.
 */
import Table from 'cli-table3';

/** Select Graphic Rendition (ECMA-48 8.3.117): what turns a colour on, and what turns it off again. */
const rendition = { red: [31, 39], yellow: [33, 39], green: [32, 39], dim: [2, 22] } as const;

export type Colour = keyof typeof rendition;

/** https://no-color.org: any NO_COLOR that is not empty turns colours off. */
export function usesColour(stream: { isTTY?: boolean } = process.stdout, environment = process.env): boolean {
	return stream.isTTY === true && !environment.NO_COLOR;
}

export function paint(colour: Colour, text: string, colours: boolean): string {
	const [on, off] = rendition[colour];
	return colours ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}

const noFrame = Object.fromEntries(
	['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
		['', '-mid', '-left', '-right'].map((part) => [`${side}${part}`, '']),
	),
);

/** Rows under their headings, two blanks between columns, no blanks at the end of a line. */
export function grid(head: string[], rows: string[][], rightAligned: readonly string[] = []): string {
	const table = new Table({
		head,
		chars: { ...noFrame, middle: '  ' },
		colAligns: head.map((name) => (rightAligned.includes(name) ? 'right' : 'left')),
		style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
	});
	table.push(...rows);
	return `${table.toString().replace(/ +$/gm, '')}\n`;
}
