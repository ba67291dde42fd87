/**
 * Every file of `test/scenarios/` is a story: inputs and what the judge answers. A change of behaviour shows as a
 * change of the story; `npm run golden:update` rewrites the answers, and the reviewer reads the difference.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Script } from './script.js';

const directory = join(import.meta.dirname, '../../../test/scenarios');

/** Plays a story again: the same commands, with the answers that the judge gives now. */
function replay(story: string): string {
	const script = new Script();
	const blocks = story.trimEnd().split(/\n\n+/);
	return `${blocks.map((block) => replayBlock(script, block)).join('\n\n')}\n`;
}

function replayBlock(script: Script, block: string): string {
	const lines = block.split('\n');
	const comments = lines.filter((line) => line.startsWith('#'));
	const [command = ''] = lines
		.filter((line) => !line.startsWith('#'))
		.join('\n')
		.split('\n----');
	if (command === '') return comments.join('\n');
	return [...comments, command, '----', script.run(command)].join('\n');
}

const stories = readdirSync(directory).filter((name) => name.endsWith('.txt'));

test('there are stories', () => assert.ok(stories.length >= 8));

for (const name of stories)
	test(`story ${name}`, () => {
		const path = join(directory, name);
		const told = readFileSync(path, 'utf8');
		const now = replay(told);
		if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, now);
		else assert.equal(now, told);
	});
