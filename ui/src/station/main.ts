import { mount } from 'svelte';
import '../shared/tokens.css';
import App from './App.svelte';
import './station.css';

mount(App, { target: document.body });
