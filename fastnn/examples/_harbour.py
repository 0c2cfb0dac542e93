"""A story for the lesson next_word, written for this project: few words, short sentences, days that resemble each
other."""

TEXT = """
mira lives in the house by the harbour. her brother tom lives in the house on the hill. mira has a small boat. tom
has a small shop. the old captain lives on his ship. the captain has a grey cat. the cat sleeps on the ship.
every morning mira takes the boat to the island. every morning tom opens the shop. every morning the captain reads
the paper. every evening mira comes home with the fish. every evening tom closes the shop. every evening the captain
feeds the cat.
on monday the sea is calm. mira takes the boat to the island. she comes home with the fish. tom buys the fish in the
harbour. he sells the fish in the shop. the captain buys the fish in the shop. the captain gives the fish to the
cat. the cat sleeps on the ship.
on tuesday the wind is strong. mira stays in the house by the harbour. she mends the nets. tom waits in the shop. no
one buys the bread in the shop. the captain reads the paper. the cat sits in the window of the ship. the cat looks
at the rain.
on wednesday the sea is calm. mira takes the boat to the island. she finds a letter in a bottle. she comes home with
the letter. tom reads the letter in the shop. the letter is from the island. the captain reads the letter on the
ship. the captain looks at the sea.
on thursday the wind is weak. the captain takes the ship to the island. mira takes the boat to the island. tom stays
in the shop. the captain finds an old friend on the island. the old friend has a white dog. the dog looks at the
cat. the cat looks at the dog. the cat sleeps on the ship.
on friday the wind is strong. the ship stays in the harbour. the old friend lives in the house on the hill. the dog
sits in the window of the house. mira mends the nets. tom sells the bread in the shop. the old friend buys the bread
in the shop. the captain buys the fish in the shop. the captain gives the fish to the cat.
on saturday the sea is calm. mira takes the boat to the sea. tom takes the boat to the sea. they come home with the
fish. the captain buys the fish in the harbour. the old friend buys the fish in the harbour. the cat waits on the
ship. the dog waits on the hill. the captain gives the fish to the cat. the old friend gives the bread to the dog.
on sunday the shop is closed. the boat stays in the harbour. the ship stays in the harbour. mira reads the paper in
the house by the harbour. tom reads the paper in the house on the hill. the captain reads the letter on the ship.
the old friend looks at the sea. every evening the cat sleeps on the ship. every evening the dog sleeps on the hill.
in winter the wind is strong. the boat stays in the harbour. mira mends the nets in the house by the harbour. tom
waits in the shop. no one buys the fish in the shop. the captain feeds the cat. the old friend feeds the dog. every
morning the captain looks at the sea. every morning the old friend looks at the ship.
in spring the sea is calm. mira takes the boat to the island. tom opens the shop. the captain takes the ship to the
sea. the cat sits in the window of the ship. the dog sits in the window of the house. she comes home with the fish.
he sells the fish in the shop. every evening the captain comes home with the ship.
in summer the wind is weak. mira takes the boat to the sea. she comes home with the fish. tom sells the bread in the
harbour. tom sells the fish in the harbour. the old friend takes the dog to the island. the dog finds a bottle on
the island. the letter in the bottle is from mira. the captain gives the letter to the old friend.
in autumn the wind is strong. the ship stays in the harbour. the captain feeds the cat. the old friend reads the
letter in the house on the hill. mira mends the nets. tom closes the shop. the cat looks at the rain. the dog looks
at the rain. the cat sleeps on the ship. the dog sleeps on the hill.
"""
