// The page's files fit together: what a script looks for is in index.html, and nothing breaks a strict CSP.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { test } from "node:test";

const WEB = new URL("../../web/", import.meta.url);
const read = (name) => readFileSync(new URL(name, WEB), "utf8");
const html = read("index.html");
const scripts = (folder) => readdirSync(new URL(folder, WEB)).filter((name) => name.endsWith(".js"));
/** Scripts by themselves, or of other pages than the first. */
const ELSEWHERE = ["sw.js", "example.js", "console.js"];
const modules = [...scripts("./").filter((name) => !ELSEWHERE.includes(name)), ...scripts("client/").map((name) => `client/${name}`)];
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found]) => found);

test("every element a module asks for is there, once", () => {
  const ids = all(html, /\bid="([^"]+)"/g);
  assert.equal(new Set(ids).size, ids.length);
  const asked = modules.flatMap((name) => all(read(name), /\bfind\("([^"]+)"\)/g));
  assert.deepEqual(asked.filter((id) => !ids.includes(id)), []);
});

test("every icon that is used is drawn, and every one that is drawn is used", () => {
  const drawn = all(html, /<symbol id="icon-([^"]+)"/g);
  const named = [...all(html, /href="#icon-([^"]+)"/g), ...modules.flatMap((name) => all(read(name), /#icon-([a-z-]+)/g))];
  const chosen = modules.flatMap((name) => all(read(name), /"([a-z]+)"/g));
  assert.deepEqual(named.filter((name) => !drawn.includes(name)), []);
  assert.deepEqual(drawn.filter((name) => !named.includes(name) && !chosen.includes(name)), []);
});

test("the console is complete in itself, and breaks no strict CSP either", () => {
  const page = read("console.html");
  const ids = all(page, /\bid="([^"]+)"/g);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(all(read("console.js"), /\bfind\("([^"]+)"\)/g).filter((id) => !ids.includes(id)), []);
  assert.doesNotMatch(page, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src="\/console\.js")/);
  assert.doesNotMatch(read("console.js"), /innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function/);
  for (const name of ["console.js", "console.html", "console.css"]) assert.ok(!html.includes(name));
});

test("labels point at fields, buttons have names", () => {
  for (const id of all(html, /\bfor="([^"]+)"/g)) assert.match(html, new RegExp(`id="${id}"`));
  for (const [button, inside] of html.matchAll(/<button[^>]*>(.*?)<\/button>/g)) {
    const text = inside.replace(/<[^>]+>/g, "").trim();
    assert.ok(text || /aria-label="|id="banner-act"/.test(button), button);
  }
});

test("all modules are fetched at once", () => {
  const preloaded = all(html, /rel="modulepreload" href="([^"]+)"/g);
  assert.deepEqual(preloaded.sort(), modules.filter((name) => name !== "main.js").sort());
});

test("nothing is inline, nothing comes from elsewhere, no text goes in as markup", () => {
  assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src="[a-z]+\.js")/);
  assert.doesNotMatch(html, /(?:href|src)="(?:https?:)?\/\//);
  for (const name of modules) assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function|https?:\/\/(?!www\.w3\.org)/, name);
});

test("the first load stays under 80 kB on the wire", () => {
  const size = (folder) => readdirSync(new URL(folder, WEB), { withFileTypes: true })
    .filter((file) => file.isFile() && !/^(console|example)\./.test(file.name) && file.name !== "sw.js" && /\.(js|css|html|svg|webmanifest)$/.test(file.name))
    .reduce((sum, file) => sum + gzipSync(readFileSync(new URL(folder + file.name, WEB))).length, 0);
  assert.ok(["./", "client/", "styles/", "client/worklets/", "icons/"].reduce((sum, folder) => sum + size(folder), 0) < 80_000);
});
