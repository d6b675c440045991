import '../shared/tokens.css';
import './tablet.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { ward } from './ward.svelte';

mount(App, { target: document.body });
void ward.start();
