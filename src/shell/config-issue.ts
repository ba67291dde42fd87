/**
 * How a refused configuration is worded: the file and line, the path, what was found, what is allowed, and for an
 * unknown key the nearest one that exists. It knows zod's issues and YAML's lines, but none of the keys themselves.
 */
import type { Document, LineCounter } from 'yaml';
import { isMap, isNode, isPair, isScalar } from 'yaml';
import * as z from 'zod';

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

interface Place {
	name: string;
	document: Document.Parsed;
	lines: LineCounter;
	schema: z.ZodType;
}

/** One sentence per issue, each beginning `FILE:LINE: PATH:`. */
export function describeIssues(issues: readonly Issue[], place: Place): string[] {
	return issues.flatMap((issue) => describe(issue, [], place));
}

function describe(issue: Issue, parent: Path, place: Place): string[] {
	const path = [...parent, ...issue.path];
	if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => describeUnknownKey([...path, key], place));
	const inner = issue.code === 'invalid_union' ? closestBranch(issue) : undefined;
	if (inner) return inner.flatMap((one) => describe(one, path, place));
	return [`${where(path, place)}: found ${show(issue.input)}, allowed is ${issue.message}`];
}

/** Of a union's refusals the one that got beyond the value's own type: there the mistake lies deeper inside. */
function closestBranch(issue: z.core.$ZodIssueInvalidUnion): Issue[] | undefined {
	return issue.errors.find((branch) => branch.some((one) => one.path.length > 0 || one.code === 'unrecognized_keys'));
}

function describeUnknownKey(path: Path, place: Place): string {
	const known = keysAt(place.schema, path.slice(0, -1));
	const key = String(path.at(-1));
	const near = nearest(key, known);
	const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`;
	return `${where(path, place)}: unknown key, ${hint}`;
}

/** The keys that the schema knows at a path, through defaults, options and unions. */
function keysAt(schema: z.ZodType, path: Path): string[] {
	const object = objectsIn(schema);
	const [head, ...rest] = path;
	if (head === undefined) return object.flatMap((one) => Object.keys(one.shape));
	return object.flatMap((one) => {
		const child: unknown = one.shape[String(head)];
		return child instanceof z.ZodType ? keysAt(child, rest) : [];
	});
}

function objectsIn(schema: z.core.$ZodType): z.ZodObject[] {
	if (schema instanceof z.ZodObject) return [schema];
	if (schema instanceof z.ZodUnion) return schema.options.flatMap(objectsIn);
	if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
		return objectsIn(schema.def.innerType);
	}
	return [];
}

/** The most like key, if at most a third of it is wrong: `intefaces` finds `interfaces`, `foo` finds nothing. */
export function nearest(key: string, known: readonly string[]): string | undefined {
	const lowered = key.toLowerCase();
	const [best] = known
		.map((candidate) => ({ candidate, distance: editDistance(lowered, candidate.toLowerCase()) }))
		.sort((a, b) => a.distance - b.distance);
	return best && best.distance <= Math.max(1, Math.floor(key.length / 3)) ? best.candidate : undefined;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, index) => index);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
		}
		row = next;
	}
	return row[b.length] ?? 0;
}

function where(path: Path, place: Place): string {
	const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
	return `${place.name}:${lineOf(path, place)}: ${text.replace(/^\./, '') || 'the whole file'}`;
}

/** The line of the deepest part of the path that the file holds: a missing key is reported at its section. */
function lineOf(path: Path, { document, lines }: Place): number {
	for (let length = path.length; length > 0; length--) {
		const offset = offsetOf(document, path.slice(0, length));
		if (offset !== undefined) return lines.linePos(offset).line;
	}
	return 1;
}

function offsetOf(document: Document.Parsed, path: Path): number | undefined {
	const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
	const pair = isMap(parent)
		? parent.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1))
		: undefined;
	const node = isPair(pair) ? pair.key : document.getIn(path, true);
	return isNode(node) ? node.range?.[0] : undefined;
}

/** What was found, cut to one short line. */
function show(value: unknown): string {
	if (value === undefined) return 'nothing';
	const text = JSON.stringify(value);
	return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
