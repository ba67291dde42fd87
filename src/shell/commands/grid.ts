/**
 * Columns and colours of everything that people read: no frames, so that the lines can be cut and grepped, and colour
 * only on a terminal that wants it.
 */
import { styleText } from 'node:util';
import Table from 'cli-table3';

export type Colour = 'red' | 'yellow' | 'green' | 'dim';

/** https://no-color.org: any NO_COLOR that is not empty turns colours off. */
export function usesColour(stream: { isTTY?: boolean } = process.stdout, environment = process.env): boolean {
	return stream.isTTY === true && !environment.NO_COLOR;
}

export function paint(colour: Colour, text: string, colours: boolean): string {
	return colours ? styleText(colour, text) : text;
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
