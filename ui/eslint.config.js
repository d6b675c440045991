import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist/', 'dev/dist/', 'node_modules/', 'src/shared/bindings/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...ts.configs.stylistic,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
  },
  { files: ['dev/**', '*.ts', '*.js'], languageOptions: { globals: { ...globals.node } } },
  {
    rules: {
      // The generated types use `type`; one habit for all.
      '@typescript-eslint/consistent-type-definitions': 'off',
      'svelte/no-at-html-tags': 'error',
      'no-eval': 'error',
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tauri-apps/*'], message: 'Only src/tablet/call.ts talks to the program.' }] },
      ],
    },
  },
  { files: ['src/tablet/call.ts'], rules: { 'no-restricted-imports': 'off' } },
);
